package process

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A SharedMemory is memory that several processes have mapped: what one writes all see. Who
// writes at the same time as others needs a lock, or atomic operations.
//
// It has no name in the file system and is known by its handles, which may be sent like those
// of other objects: the process that gets one maps the memory when it first uses it. So
// nothing is left behind, however processes end. The kernel releases the memory when the last
// process that has it mapped has closed it or has ended; until the one that has made it closes
// it, or ends, others may come.
type SharedMemory struct {
	address
	size int

	mu     sync.Mutex // held for a mapping
	data   []byte     // mu guards this and the rest
	closed bool
}

// NewSharedMemory makes and maps size bytes, all zero. It panics if size is not positive. It
// lives here: other places have no use for it.
func NewSharedMemory(size int) (*SharedMemory, error) {
	if size <= 0 {
		panic("process: SharedMemory of no size")
	}
	fd, err := unix.MemfdCreate("weft shared memory", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	err = os.NewSyscallError("ftruncate", unix.Ftruncate(fd, int64(size)))
	if err == nil {
		// Nobody can take pages away from under those who have them mapped.
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
		err = os.NewSyscallError("fcntl", err)
	}
	m := &SharedMemory{size: size}
	if err == nil {
		m.data, err = mapShared(fd, size)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	m.address = address{process: self.id, object: objects.add(&memoryObject{fd: fd})}
	return m, nil
}

func mapShared(fd, size int) ([]byte, error) {
	data, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	return data, os.NewSyscallError("mmap", err)
}

// MarshalBinary makes a handle that is part of an argument, an item or a value be sent as the
// address of its object.
func (m *SharedMemory) MarshalBinary() ([]byte, error) {
	b, err := m.address.MarshalBinary()
	return append(b, u64(uint64(m.size))...), err
}

// UnmarshalBinary is the reverse of MarshalBinary.
func (m *SharedMemory) UnmarshalBinary(b []byte) error {
	if len(b) < 8 {
		return errNoHandle
	}
	n, _ := u64Of(b[len(b)-8:])
	m.size = int(n)
	return m.address.UnmarshalBinary(b[:len(b)-8])
}

// Size returns the number of bytes.
func (m *SharedMemory) Size() int { return m.size }

// Bytes returns the memory. The first call in a process that has got the handle maps it, for
// which it asks the owner. The error is ErrGone if that has ended or closed it by then, or
// m was closed; or that of an interrupt. The bytes must not be used after Close: that would
// crash the program.
func (m *SharedMemory) Bytes() ([]byte, error) {
	m.mu.Lock()
	data, closed := m.data, m.closed
	m.mu.Unlock()
	if closed {
		return nil, ErrGone
	}
	if data != nil {
		return data, nil
	}
	r, err := m.call(outgoing{op: memoryAttach, reason: "shared memory"})
	defer closeAll(r.fds)
	if err == nil {
		err = r.err()
	}
	if err != nil {
		return nil, err
	}
	if len(r.fds) != 1 {
		return nil, ErrGone
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.data == nil && !m.closed {
		if m.data, err = mapShared(r.fds[0], m.size); err != nil {
			return nil, err
		}
	}
	return m.data, nil
}

// Close ends the use of the memory by this process, and in the one that has made it also its
// being there for processes that have not mapped it yet. A second Close returns ErrGone.
func (m *SharedMemory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrGone
	}
	m.closed = true
	var err error
	if m.data != nil {
		err = unix.Munmap(m.data)
		m.data = nil
	}
	if m.local() {
		objects.remove(m.object)
	}
	return os.NewSyscallError("munmap", err)
}

// memoryObject gives the memory's descriptor to those that ask for it.
type memoryObject struct {
	mu sync.Mutex
	fd int // mu guards; -1 when it is closed
}

const memoryAttach = op(1)

func (m *memoryObject) serve(r *request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fd < 0 {
		r.reply(statusGone)
		return
	}
	fd, err := unix.FcntlInt(uintptr(m.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		r.reply(statusFailed, encodeError(os.NewSyscallError("fcntl", err)))
		return
	}
	r.answer().replyWith(statusOK, []int{fd})
}

func (m *memoryObject) cancel(*client, uint64) {}
func (m *memoryObject) gone(*client)           {}

func (m *memoryObject) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fd >= 0 {
		_ = unix.Close(m.fd)
		m.fd = -1
	}
}
