package poll

import (
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/internal/reactor"
)

// SetDeadline sets the read and the write deadline. A deadline ends the
// operation under way, and fails those after it, with os.ErrDeadlineExceeded,
// until it is set anew. The zero Time means none. It does not park.
func (fd *FD) SetDeadline(t time.Time) error { return fd.setDeadlines(t, dirRead, dirWrite) }

// SetReadDeadline is SetDeadline for reading.
func (fd *FD) SetReadDeadline(t time.Time) error { return fd.setDeadlines(t, dirRead) }

// SetWriteDeadline is SetDeadline for writing.
func (fd *FD) SetWriteDeadline(t time.Time) error { return fd.setDeadlines(t, dirWrite) }

func (fd *FD) setDeadlines(t time.Time, dirs ...reactor.Direction) error {
	if err := fd.lock.use(); err != nil {
		return err
	}
	defer fd.unuse()
	deadline := int64(runtime.InstantOf(t))
	for _, dir := range dirs {
		// Stored first, then kicked: see wait.
		if fd.deadlines[dir].Swap(deadline) != deadline {
			fd.reg.Kick(dir)
		}
	}
	return nil
}
