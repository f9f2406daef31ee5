package poll

import (
	"unsafe"

	"github.com/weft-go/weft/runtime/internal/reactor"
	"golang.org/x/sys/unix"
)

// Message is an entry of a batch: struct mmsghdr of the kernel.
type Message struct {
	Header unix.Msghdr
	N      uint32 // bytes sent or received
}

// ReadFrom receives a message into p, and parks until there is one. The sender's
// address goes to from, which must be zero and stays so if there is none. What does
// not fit into p is lost.
// Like every call that receives a message, it returns io.EOF for an empty one,
// but for datagrams.
func (fd *FD) ReadFrom(p []byte, from *unix.RawSockaddrAny) (int, error) {
	if err := fd.beginRead(); err != nil {
		return 0, err
	}
	defer fd.release(dirRead)
	if err := fd.expired(dirRead); err != nil {
		return 0, err
	}
	for {
		n, errno := sysReadFrom(fd.reg.Sysfd, p, from)
		if errno == 0 {
			fd.pace(dirRead)
			return n, fd.eofError(n)
		}
		if err := fd.retry(dirRead, errno); err != nil {
			return 0, err
		}
	}
}

// WriteTo sends p as one message to an address of size bytes, and parks while
// there is no room.
func (fd *FD) WriteTo(p []byte, to *unix.RawSockaddrAny, size uint32) (int, error) {
	if err := fd.lock.acquire(dirWrite); err != nil {
		return 0, err
	}
	defer fd.release(dirWrite)
	if err := fd.expired(dirWrite); err != nil {
		return 0, err
	}
	for {
		errno := sysWriteTo(fd.reg.Sysfd, p, to, size)
		if errno == 0 {
			fd.pace(dirWrite)
			return len(p), nil
		}
		if err := fd.retry(dirWrite, errno); err != nil {
			return 0, err
		}
	}
}

// ReadMsg is ReadFrom with control data, of which it receives oobn bytes into oob,
// and with flags of recvmsg(2). On a socket that is not for datagrams an empty p
// with an oob that is not takes a byte, as control data come with at least one.
func (fd *FD) ReadMsg(p, oob []byte, flags int, from *unix.RawSockaddrAny) (n, oobn, gotFlags int, err error) {
	if err := fd.beginRead(); err != nil {
		return 0, 0, 0, err
	}
	defer fd.release(dirRead)
	if err := fd.expired(dirRead); err != nil {
		return 0, 0, 0, err
	}
	var one [1]byte
	if len(p) == 0 && len(oob) > 0 && fd.kind != kindDatagrams {
		p = one[:]
	}
	for {
		n, oobn, gotFlags, errno := sysReadMsg(fd.reg.Sysfd, p, oob, flags, from)
		if errno == 0 {
			fd.pace(dirRead)
			return n, oobn, gotFlags, fd.eofError(n)
		}
		if err := fd.retry(dirRead, errno); err != nil {
			return 0, 0, 0, err
		}
	}
}

// WriteMsg is WriteTo with control data; to may be nil for a connected socket. On
// a socket that is not for datagrams an empty p with an oob that is not sends a
// zero byte.
func (fd *FD) WriteMsg(p, oob []byte, to *unix.RawSockaddrAny, size uint32) (int, error) {
	if err := fd.lock.acquire(dirWrite); err != nil {
		return 0, err
	}
	defer fd.release(dirWrite)
	if err := fd.expired(dirWrite); err != nil {
		return 0, err
	}
	var one [1]byte
	data := p
	if len(p) == 0 && len(oob) > 0 && fd.kind != kindDatagrams {
		data = one[:]
	}
	for {
		n, errno := sysWriteMsg(fd.reg.Sysfd, data, oob, to, size)
		if errno == 0 {
			fd.pace(dirWrite)
			return min(n, len(p)), nil
		}
		if err := fd.retry(dirWrite, errno); err != nil {
			return 0, err
		}
	}
}

// ReadBatch receives up to len(ms) messages by one recvmmsg(2). It parks until
// there is one, and returns how many there were.
func (fd *FD) ReadBatch(ms []Message, flags int) (int, error) {
	if err := fd.beginRead(); err != nil {
		return 0, err
	}
	return fd.batch(dirRead, unix.SYS_RECVMMSG, ms, flags)
}

// WriteBatch sends up to len(ms) messages by one sendmmsg(2). It parks until there
// is room for one, and returns how many were sent. An error is that of the first.
func (fd *FD) WriteBatch(ms []Message, flags int) (int, error) {
	if err := fd.lock.acquire(dirWrite); err != nil {
		return 0, err
	}
	return fd.batch(dirWrite, unix.SYS_SENDMMSG, ms, flags)
}

// batch makes the system call trap, and gives back the lock of dir.
func (fd *FD) batch(dir reactor.Direction, trap uintptr, ms []Message, flags int) (int, error) {
	defer fd.release(dir)
	if err := fd.expired(dir); err != nil {
		return 0, err
	}
	for {
		n, errno := sysBatch(trap, fd.reg.Sysfd, ms, flags)
		if errno == 0 {
			fd.pace(dir)
			return n, nil
		}
		if err := fd.retry(dir, errno); err != nil {
			return 0, err
		}
	}
}

// beginRead takes the lock for an operation that always tries before it waits.
func (fd *FD) beginRead() error {
	if err := fd.lock.acquire(dirRead); err != nil {
		return err
	}
	fd.drained = false
	return nil
}

// retry waits if errno says that the call would block, and returns nil if it is to
// be made again.
func (fd *FD) retry(dir reactor.Direction, errno unix.Errno) error {
	switch errno {
	case unix.EAGAIN:
		return fd.wait(dir, true)
	case unix.EINTR:
		return nil
	}
	return errno
}

func sysReadFrom(fd int, p []byte, from *unix.RawSockaddrAny) (int, unix.Errno) {
	size := uint32(unix.SizeofSockaddrAny)
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		0, uintptr(unsafe.Pointer(from)), uintptr(unsafe.Pointer(&size)))
	raceRead(p, errno == 0)
	return int(n), errno
}

func sysWriteTo(fd int, p []byte, to *unix.RawSockaddrAny, size uint32) unix.Errno {
	raceWrite(p)
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		0, uintptr(unsafe.Pointer(to)), uintptr(size))
	return errno
}

// sysReadMsg and sysWriteMsg fill in a local msghdr with their own hands: given to
// another function, what it points to would be allocated.

func sysReadMsg(fd int, p, oob []byte, flags int, from *unix.RawSockaddrAny) (n, oobn, gotFlags int, errno unix.Errno) {
	iov := unix.Iovec{Base: unsafe.SliceData(p)}
	iov.SetLen(len(p))
	msg := unix.Msghdr{Name: (*byte)(unsafe.Pointer(from)), Namelen: unix.SizeofSockaddrAny, Iov: &iov}
	msg.SetIovlen(1)
	if len(oob) > 0 {
		msg.Control = unsafe.SliceData(oob)
		msg.SetControllen(len(oob))
	}
	r, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&msg)), uintptr(flags))
	raceRead(p, errno == 0)
	raceRead(oob, errno == 0)
	return int(r), int(msg.Controllen), int(msg.Flags), errno
}

func sysWriteMsg(fd int, p, oob []byte, to *unix.RawSockaddrAny, size uint32) (int, unix.Errno) {
	raceWrite(p)
	raceWrite(oob)
	iov := unix.Iovec{Base: unsafe.SliceData(p)}
	iov.SetLen(len(p))
	msg := unix.Msghdr{Name: (*byte)(unsafe.Pointer(to)), Namelen: size, Iov: &iov}
	msg.SetIovlen(1)
	if len(oob) > 0 {
		msg.Control = unsafe.SliceData(oob)
		msg.SetControllen(len(oob))
	}
	n, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&msg)), 0)
	return int(n), errno
}

// largeBatch is from how many messages on a call tells the Go scheduler of itself,
// unlike the others: it takes some 200 microseconds, and more.
const largeBatch = 100

func sysBatch(trap uintptr, fd int, ms []Message, flags int) (int, unix.Errno) {
	if trap == unix.SYS_SENDMMSG {
		raceWriteBatch(ms)
	}
	call := unix.RawSyscall6
	if len(ms) >= largeBatch {
		call = unix.Syscall6
	}
	n, _, errno := call(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(ms))), uintptr(len(ms)), uintptr(flags), 0, 0)
	if trap == unix.SYS_RECVMMSG && errno == 0 {
		raceReadBatch(ms[:n])
	}
	return int(n), errno
}
