package poll

import (
	"errors"
	"io"
	"os"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/reactor"
)

// ErrClosed is returned by operations on a closed FD, and by those that its
// Close ended. Package net shows it as net.ErrClosed.
var ErrClosed = errors.New("poll: use of closed descriptor")

// waitError translates why a wait ended.
func waitError(err error) error {
	switch err {
	case runtime.ErrTimeout:
		return os.ErrDeadlineExceeded
	case reactor.ErrClosed:
		return ErrClosed
	case reactor.ErrEnded:
		// The reactor of another runtime, where somebody else waits as well, ends
		// just now: try again, and wait elsewhere.
		return errReady
	}
	return err
}

// eofError is the error of a read of n bytes without an error: end of file if
// that was no byte, but for datagrams.
func (fd *FD) eofError(n int) error {
	if n == 0 && fd.kind != kindDatagrams {
		return io.EOF
	}
	return nil
}
