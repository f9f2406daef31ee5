// Package ring has one-way channels of messages between processes: a ring of
// bytes in shared memory, and a pair of sockets beside it.
//
// The ring carries the messages. It has one writer and one reader, each of which
// only ever moves an index of its own, and moves it last: so there is no lock that
// a process could die with, what a process wrote before it died can still be read,
// and what it was about to write does not exist. While both sides are busy no
// system call is made.
//
// The sockets carry three things: a byte, the bell, to wake a side that sleeps; the
// end of file, which the kernel sends when a side has gone, however it went; and
// descriptors that belong to a message.
//
// The two ends may be in one process, too. Each end is used by one party at a time:
// callers lock.
package ring

import "errors"

// ErrCorrupt is returned when the ring does not hold what a Writer writes.
var ErrCorrupt = errors.New("ring: corrupt message")

// size is the number of bytes of a ring, a power of two. It fits into the cache of
// a processor, and has room for several messages of 64 KiB, so that their writer and
// reader need not wait for each other all the time.
const size = 512 << 10

const (
	headerLen = 8
	align     = 8

	// Whole is the length of the longest message that becomes visible as a whole,
	// half a ring with its header. Longer ones are cut into fragments.
	Whole = size/2 - headerLen

	// fragment is the length of a piece of a longer message: the reader copies one
	// while the writer writes the next.
	fragment = size/4 - headerLen
)

// The header of a message: 4 bytes of length, then these flags, then the number of
// descriptors. A message is padded to a multiple of 8 bytes, so that the next one is
// aligned.
const (
	flagMore = 1 << 0 // a fragment, and not the last
	flagDrop = 1 << 1 // the fragments before this message were given up
)

// space is what a message of n bytes takes.
func space(n int) uint64 { return uint64(headerLen+n+align-1) &^ (align - 1) }
