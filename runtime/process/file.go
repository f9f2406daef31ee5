package process

import (
	"errors"
	"os"

	"github.com/weft-go/weft/runtime/process/internal/codec"
	"golang.org/x/sys/unix"
)

// A File is an open file, or a socket, for another process: as part of the argument of a
// process, or of what a pipe carries, its descriptor goes along. The receiver gets a
// descriptor of its own for the same open file, as by dup(2); the sender keeps his. So
// several processes can accept from one listener, say: its File method and FileListener,
// of package net here as in the standard library, are the ways from and to it.
type File struct{ *os.File }

// CarriesDescriptors marks the type for the encoder.
func (*File) CarriesDescriptors() {}

// MarshalBinary adds the descriptor to what is sent. It is for Start and Send, which call
// it.
func (f *File) MarshalBinary() ([]byte, error) {
	if f.File == nil {
		return nil, errors.New("process: the zero File")
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	dup, err := -1, error(unix.EBADF)
	if closed := raw.Control(func(fd uintptr) { dup, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }); closed != nil {
		return nil, closed
	}
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	if err := codec.Outgoing(func() {}, dup); err != nil {
		_ = unix.Close(dup)
		return nil, err
	}
	return []byte(f.Name()), nil
}

// UnmarshalBinary is the reverse of MarshalBinary.
func (f *File) UnmarshalBinary(name []byte) error {
	fds, err := codec.Incoming(1)
	if err != nil {
		return err
	}
	f.File = os.NewFile(uintptr(fds[0]), string(name))
	return nil
}
