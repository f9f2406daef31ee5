package ring

import (
	"encoding/binary"

	"github.com/weft-go/weft/runtime"
	"golang.org/x/sys/unix"
)

// A Writer is the writing end of a ring. One party at a time may use it, but for
// Hangup.
type Writer struct {
	end
	tail  uint64 // bytes published
	head  uint64 // bytes read, when we last looked
	ended bool   // the reader has gone
	next  int    // length of the message that Reserve began
}

// OpenWriter takes over the descriptors.
func OpenWriter(f Files) (*Writer, error) {
	w := new(Writer)
	if err := w.open(f); err != nil {
		return nil, err
	}
	w.tail, w.head = w.shared.tail.Load(), w.shared.head.Load()
	return w, nil
}

// Close closes the end, after Hangup. The reader still gets what was written.
func (w *Writer) Close() {
	w.writerGone.Store(1)
	w.Leave()
}

// free is the room there is.
func (w *Writer) free() uint64 {
	if w.tail-w.head > size/2 {
		w.head = w.shared.head.Load()
	}
	return size - (w.tail - w.head)
}

// fits looks at the reader's index.
func (w *Writer) fits(need uint64) bool {
	if w.free() >= need {
		return true
	}
	w.head = w.shared.head.Load()
	return size-(w.tail-w.head) >= need
}

// Gone reports whether the reader is known to have gone.
func (w *Writer) Gone() bool { return w.ended || w.readerGone.Load() != 0 }

// TryReserve returns room for a message of n bytes, at most Whole, if there is some
// at once. The message is written by Commit.
func (w *Writer) TryReserve(n int) ([]byte, bool) {
	if !w.fits(space(n)) {
		return nil, false
	}
	w.next = n
	return w.at(w.tail)[headerLen : headerLen+n], true
}

// Reserve is TryReserve that waits for room. Its error is EPIPE when the reader has
// gone, else that of the wait. An interrupted wait leaves nothing behind.
func (w *Writer) Reserve(n int, deadline runtime.Instant) ([]byte, error) {
	if w.Gone() {
		return nil, unix.EPIPE
	}
	if err := w.WaitRoom(n, deadline); err != nil {
		return nil, err
	}
	room, _ := w.TryReserve(n)
	return room, nil
}

// WaitRoom waits until there is room for a message of n bytes.
func (w *Writer) WaitRoom(n int, deadline runtime.Instant) error {
	need := space(n)
	for !w.fits(need) {
		if w.spin.Until(func() bool { return w.fits(need) }) {
			return nil
		}
		// The reader moves its index and then looks at the flag, we do so the other
		// way round: one of the two sees the other.
		w.writerSleeps.Swap(1)
		if w.fits(need) {
			w.writerSleeps.Store(0)
			return nil
		}
		if w.Gone() {
			return unix.EPIPE
		}
		rang, err := w.sleep(deadline)
		w.writerSleeps.Store(0)
		if err != nil {
			return err
		}
		w.ended = w.ended || !rang
	}
	return nil
}

// Commit writes the message for which room was reserved, and wakes the reader if it
// sleeps. An error of that says that the reader has gone.
func (w *Writer) Commit() error { return w.commit(0, 0) }

func (w *Writer) commit(flags, fds byte) error {
	if w.drop.Load() != 0 {
		w.drop.Store(0)
		flags |= flagDrop
	}
	header := w.at(w.tail)
	binary.LittleEndian.PutUint32(header, uint32(w.next))
	header[4], header[5] = flags, fds
	w.tail += space(w.next)
	// Swap, not Store: nothing may be read before the new value is visible, and under the
	// race detector Store does not see to that. So with all that the two sides tell each
	// other about sleep.
	w.shared.tail.Swap(w.tail)
	if w.readerSleeps.Load() != 0 && w.readerSleeps.Swap(0) != 0 {
		if err := w.ring(nil); err != nil {
			w.ended = true
			return err
		}
	}
	return nil
}

// Write writes the message that the parts make, of any length, and waits while
// there is no room. The descriptors fds go along. If a wait for room is interrupted
// nothing was sent.
func (w *Writer) Write(deadline runtime.Instant, fds []int, parts ...[]byte) error {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	if n > Whole {
		return w.writeLong(deadline, fds, parts)
	}
	room, err := w.Reserve(n, deadline)
	if err != nil {
		return err
	}
	for _, part := range parts {
		room = room[copy(room, part):]
	}
	if len(fds) > 0 {
		if err := w.ring(fds); err != nil {
			return err
		}
	}
	return w.commit(0, byte(len(fds)))
}

// writeLong writes fragments.
func (w *Writer) writeLong(deadline runtime.Instant, fds []int, parts [][]byte) error {
	began := false
	for i, part := range parts {
		for len(part) > 0 {
			piece := part[:min(len(part), fragment)]
			part = part[len(piece):]
			room, err := w.Reserve(len(piece), deadline)
			if err != nil {
				if began {
					w.drop.Store(1)
				}
				return err
			}
			copy(room, piece)
			last := len(part) == 0 && isEmpty(parts[i+1:])
			flags, n := byte(flagMore), 0
			if last {
				flags, n = 0, len(fds)
			}
			if n > 0 {
				if err := w.ring(fds); err != nil {
					return err
				}
			}
			if err := w.commit(flags, byte(n)); err != nil {
				return err
			}
			began = true
		}
	}
	return nil
}

func isEmpty(parts [][]byte) bool {
	for _, part := range parts {
		if len(part) > 0 {
			return false
		}
	}
	return true
}
