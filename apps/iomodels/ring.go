package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Of linux/io_uring.h, what is used here.
const (
	opAccept  = 13
	opSend    = 26
	opReceive = 27

	enterGetEvents = 1 << 0

	featureSingleMap = 1 << 0 // both queues are in one mapping

	setupCompletions = 1 << 3 // the length of the completion queue is given

	offsetEntries = 0x10000000 // of the mapping with the submissions
)

// ringParams is struct io_uring_params.
type ringParams struct {
	submissions, completions, flags, cpu, idle, features, wq uint32
	_                                                        [3]uint32
	sq                                                       struct {
		head, tail, mask, entries, flags, dropped, array, _ uint32
		_                                                   uint64
	}
	cq struct {
		head, tail, mask, entries, overflow, entry, flags, _ uint32
		_                                                    uint64
	}
}

// submission is struct io_uring_sqe.
type submission struct {
	op, flags uint8
	priority  uint16
	fd        int32
	offset    uint64
	address   uint64
	length    uint32
	opFlags   uint32
	mark      uint64
	_         [3]uint64
}

// completion is struct io_uring_cqe.
type completion struct {
	mark   uint64
	result int32
	flags  uint32
}

// A ring is a pair of queues that are shared with the kernel: submissions and completions. One thread may
// use it.
type ring struct {
	fd int

	// The kernel moves sqHead and cqTail, we the others.
	sqHead, sqTail, cqHead, cqTail *uint32

	submissions []submission
	completions []completion
	order       []uint32 // of submissions
	queued      uint32   // submissions that the kernel does not know of yet
}

// newRing makes a ring for that many submissions at a time, and operations under way. The error is
// errRefused where the kernel is older than Linux 5.6, or forbids it (containers and sysctl do).
func newRing(submissions, operations uint32) (*ring, error) {
	p := ringParams{flags: setupCompletions, completions: operations}
	// SAFETY: p is as large as the kernel's structure, see TestRingLayout, and lives until the call returns.
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(submissions), uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return nil, fmt.Errorf("%w: io_uring_setup: %w", errRefused, errno)
	}
	if p.features&featureSingleMap == 0 {
		return nil, fmt.Errorf("%w: its io_uring is older than Linux 5.4's", errRefused)
	}
	size := max(int(p.sq.array+p.submissions*4), int(p.cq.entry)+int(p.completions)*int(unsafe.Sizeof(completion{})))
	queues, err := unix.Mmap(int(fd), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	list, err := unix.Mmap(int(fd), offsetEntries, int(p.submissions)*int(unsafe.Sizeof(submission{})),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	// SAFETY: the mappings stay for the life of the process, and the kernel says what lies where in them.
	word := func(offset uint32) *uint32 { return (*uint32)(unsafe.Pointer(&queues[offset])) }
	return &ring{
		fd:     int(fd),
		sqHead: word(p.sq.head), sqTail: word(p.sq.tail),
		cqHead: word(p.cq.head), cqTail: word(p.cq.tail),
		submissions: unsafe.Slice((*submission)(unsafe.Pointer(&list[0])), p.submissions),
		completions: unsafe.Slice((*completion)(unsafe.Pointer(&queues[p.cq.entry])), p.completions),
		order:       unsafe.Slice(word(p.sq.array), p.submissions),
	}, nil
}

// accept, receive and send queue an operation, which wait hands over. The buffer must stay until it is done.
func (r *ring) accept(fd int) error {
	return r.queue(submission{op: opAccept, fd: int32(fd), opFlags: unix.SOCK_CLOEXEC})
}

func (r *ring) receive(fd int, p []byte) error {
	return r.queue(submission{op: opReceive, fd: int32(fd), address: addressOf(p), length: uint32(len(p))})
}

func (r *ring) send(fd int, p []byte) error {
	return r.queue(submission{op: opSend, fd: int32(fd), address: addressOf(p), length: uint32(len(p)), opFlags: unix.MSG_NOSIGNAL})
}

// addressOf is the address of a buffer, which Go does not move: it is on the heap, since conns are.
func addressOf(p []byte) uint64 { return uint64(uintptr(unsafe.Pointer(&p[0]))) }

// queue puts a submission in its queue, which is handed over first if it is full.
func (r *ring) queue(s submission) error {
	tail := *r.sqTail // only we write it
	if tail-atomic.LoadUint32(r.sqHead) == uint32(len(r.submissions)) {
		if err := r.enter(0); err != nil {
			return err
		}
	}
	s.mark = uint64(s.fd)
	i := tail % uint32(len(r.submissions)) // a power of two
	r.submissions[i] = s
	r.order[i] = i
	atomic.StoreUint32(r.sqTail, tail+1) // the kernel sees the entry before this
	r.queued++
	return nil
}

// wait returns the next operation that is done: its descriptor, and its result, a negative one being an
// error. When none is it hands over what is queued, and waits.
func (r *ring) wait() (fd, result int, err error) {
	head := *r.cqHead // only we write it
	for head == atomic.LoadUint32(r.cqTail) {
		if err := r.enter(1); err != nil {
			return 0, 0, err
		}
	}
	c := r.completions[head%uint32(len(r.completions))]
	atomic.StoreUint32(r.cqHead, head+1) // the kernel may use the entry after this
	return int(c.mark), int(c.result), nil
}

// enter hands over what is queued, and waits until so many operations are done.
func (r *ring) enter(atLeast uintptr) error {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(r.queued), atLeast, enterGetEvents, 0, 0)
		switch errno {
		case 0:
			r.queued -= uint32(n)
			return nil
		case unix.EINTR, unix.EAGAIN: // by a signal; short of memory
		default:
			return os.NewSyscallError("io_uring_enter", errno)
		}
	}
}
