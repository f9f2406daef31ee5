package ring

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/weft-go/weft/runtime"
)

var errHalf = errors.New("ring: a message is half read")

// A Reader is the reading end of a ring. One party at a time may use it, but for
// Hangup.
type Reader struct {
	end
	head uint64 // bytes read
	told uint64 // bytes read, as the writer knows
	tail uint64 // bytes written, when we last looked

	current uint64 // what the message last returned takes in the ring
	fds     int    // descriptors that belong to it
	long    []byte // fragments put together
	whole   bool   // long is a message that was returned
}

// OpenReader takes over the descriptors.
func OpenReader(f Files) (*Reader, error) {
	r := new(Reader)
	if err := r.open(f); err != nil {
		return nil, err
	}
	r.head = r.shared.head.Load()
	r.tail, r.told = r.head, r.head
	return r, nil
}

// Close closes the end, after Hangup.
func (r *Reader) Close() {
	r.done()
	r.tell()
	r.readerGone.Store(1)
	r.Leave()
}

// Detach returns duplicates of the end's descriptors, for another process, which
// goes on where this one has stopped. That can't be in the middle of a long message, of
// which a wait was interrupted.
func (r *Reader) Detach() (Files, error) {
	r.done()
	if r.long != nil {
		return Files{}, errHalf
	}
	r.tell()
	return r.end.Detach()
}

// Next returns the next message, for which it waits; the error is that of the wait,
// io.EOF when the writer has gone and everything has been read, or
// io.ErrUnexpectedEOF if it has gone in the middle of a message. The message is valid
// until the next call; Own says whether it is for longer.
func (r *Reader) Next(deadline runtime.Instant) ([]byte, error) {
	for {
		if message, ok, err := r.TryNext(); ok || err != nil {
			return message, err
		}
		if err := r.Wait(deadline); err != nil {
			return nil, err
		}
	}
}

// Wait waits until there is something to read. Its error is as that of Next.
func (r *Reader) Wait(deadline runtime.Instant) error {
	r.done()
	for !r.Ready() {
		if r.spin.Until(r.Ready) {
			return nil
		}
		if !r.Arm() {
			return nil
		}
		gone, err := r.Sleep(deadline)
		r.Disarm()
		if err != nil {
			return err
		}
		if gone && !r.Ready() {
			return r.End()
		}
	}
	return nil
}

// End returns the error of a reader that has read everything of a writer that has
// gone: io.EOF, or io.ErrUnexpectedEOF if it has gone in the middle of a message.
func (r *Reader) End() error {
	if r.long != nil && r.writerGone.Load() == 0 {
		return io.ErrUnexpectedEOF
	}
	return io.EOF
}

// Ready reports whether there is something to read.
func (r *Reader) Ready() bool { return r.shared.tail.Load() != r.head+r.current }

// Position returns how many bytes of the stream were read.
func (r *Reader) Position() uint64 { return r.head + r.current }

// Written returns how many bytes were written to the stream.
func (r *Reader) Written() uint64 { return r.shared.tail.Load() }

// Arm makes the writer ring when it has written. It reports false, and does nothing,
// if there is something to read.
func (r *Reader) Arm() bool {
	r.done()
	r.tell()
	// The writer moves its index and then looks at the flag, we do so the other way
	// round: one of the two sees the other.
	r.readerSleeps.Swap(1)
	if r.Ready() {
		r.readerSleeps.Store(0)
		return false
	}
	return true
}

// Disarm takes Arm back.
func (r *Reader) Disarm() { r.readerSleeps.Store(0) }

// Sleep waits for the bell, after Arm, and reports whether the writer has gone. It
// may be called while another party reads, if no other sleeps.
func (r *Reader) Sleep(deadline runtime.Instant) (gone bool, err error) {
	rang, err := r.sleep(deadline)
	return err == nil && !rang, err
}

// TryNext returns the next message if there is one.
func (r *Reader) TryNext() (message []byte, ok bool, err error) {
	r.done()
	for {
		if r.head == r.tail {
			r.tail = r.shared.tail.Load()
			if r.head == r.tail {
				r.tell()
				return nil, false, nil
			}
		}
		there := r.tail - r.head
		header := r.at(r.head)
		n := int(binary.LittleEndian.Uint32(header))
		flags, fds := header[4], int(header[5])
		if there > size || n > Whole || space(n) > there {
			return nil, false, ErrCorrupt
		}
		payload := header[headerLen : headerLen+n : headerLen+n]
		if flags&flagDrop != 0 {
			r.long = nil
		}
		if flags&flagMore == 0 && r.long == nil {
			r.current, r.fds = space(n), fds
			return payload, true, nil
		}
		r.long = append(r.long, payload...)
		r.advance(space(n))
		if flags&flagMore == 0 {
			r.whole, r.fds = true, fds
			return r.long, true, nil
		}
	}
}

// Own reports whether the message last returned is not in the ring, and the
// caller's to keep.
func (r *Reader) Own() bool { return r.whole }

// Descriptors returns those that came with the message last returned. They are the
// caller's.
func (r *Reader) Descriptors() ([]int, error) {
	n := r.fds
	r.fds = 0
	if n == 0 {
		return nil, nil
	}
	return r.take(n)
}

// done gives the room of the message last returned back.
func (r *Reader) done() {
	if r.whole {
		r.long, r.whole = nil, false
	}
	if r.current > 0 {
		n := r.current
		r.current = 0
		r.advance(n)
	}
}

// advance moves on. The writer is told now and then, not for each message, which
// would cost both sides a transfer of the cache line.
func (r *Reader) advance(n uint64) {
	r.head += n
	if r.head-r.told >= size/4 || r.writerSleeps.Load() != 0 {
		r.tell()
	}
}

// tell tells the writer how much was read, and wakes it if it sleeps and half the
// ring is free. It comes to that, unless the reader stops reading.
func (r *Reader) tell() {
	if r.told != r.head {
		r.told = r.head
		r.shared.head.Swap(r.head)
	}
	if r.writerSleeps.Load() != 0 && size-(r.shared.tail.Load()-r.head) >= size/2 && r.writerSleeps.Swap(0) != 0 {
		_ = r.ring(nil) // if the writer has gone, the end of file will tell
	}
}
