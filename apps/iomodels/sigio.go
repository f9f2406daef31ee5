package main

import (
	"os"
	goruntime "runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// readySignal tells that a connection has changed. Realtime signals queue, and carry the descriptor.
const readySignal = unix.Signal(40)

// serveSIGIO has the kernel send this thread a signal for each change of each connection. The signals are
// blocked and read from a signalfd: Go's os/signal would not say which descriptor they are for, and a
// handler could do little.
//
// A user may have so many signals queued (RLIMIT_SIGPENDING). After that the kernel sends a plain SIGIO, which
// is one however often it is sent, and tells only that something was lost: then every connection is looked at.
func serveSIGIO(announce func(string)) error {
	goruntime.LockOSThread() // the signals go to this thread
	s := &signalled{thread: unix.Gettid(), conns: map[int]*conn{}}
	var set unix.Sigset_t
	for _, sig := range []unix.Signal{readySignal, unix.SIGIO} {
		set.Val[(sig-1)/64] |= 1 << ((sig - 1) % 64)
	}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil); err != nil {
		return os.NewSyscallError("sigprocmask", err)
	}
	signals, err := unix.Signalfd(-1, &set, unix.SFD_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("signalfd", err)
	}
	var address string
	if s.listener, address, err = listen(unix.SOCK_NONBLOCK); err != nil {
		return err
	}
	if err := s.watch(s.listener); err != nil {
		return err
	}
	announce(address)
	var infos [64]unix.SignalfdSiginfo
	const size = int(unsafe.Sizeof(infos[0]))
	// SAFETY: the array is as long as the slice, and a structure of integers may have any bytes.
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&infos)), len(infos)*size)
	for {
		n, err := retry(unix.Read, signals, raw)
		if err != nil {
			return os.NewSyscallError("read signalfd", err)
		}
		for _, info := range infos[:n/size] {
			if unix.Signal(info.Signo) == unix.SIGIO {
				err = s.all()
			} else {
				err = s.changed(int(info.Fd))
			}
			if err != nil {
				return err
			}
		}
	}
}

// signalled is what serveSIGIO serves.
type signalled struct {
	thread   int // that gets the signals
	listener int
	conns    map[int]*conn
}

// watch asks for signals about a descriptor.
func (s *signalled) watch(fd int) error {
	owner := struct{ kind, id int32 }{kind: 0 /* F_OWNER_TID */, id: int32(s.thread)}
	// SAFETY: the structure is struct f_owner_ex, and lives until the call returns.
	if _, _, errno := unix.Syscall(unix.SYS_FCNTL, uintptr(fd), unix.F_SETOWN_EX, uintptr(unsafe.Pointer(&owner))); errno != 0 {
		return os.NewSyscallError("fcntl F_SETOWN_EX", errno)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETSIG, int(readySignal)); err != nil {
		return os.NewSyscallError("fcntl F_SETSIG", err)
	}
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_NONBLOCK|unix.O_ASYNC)
	return os.NewSyscallError("fcntl F_SETFL", err)
}

// changed serves the descriptor of a signal. That may have been closed since, and even be another's now:
// then there is nothing to do for it, and that is found out.
func (s *signalled) changed(fd int) error {
	if fd == s.listener {
		return acceptAll(s.listener, func(c *conn) error {
			s.conns[c.fd] = c
			if err := s.watch(c.fd); err != nil {
				return err
			}
			s.drive(c) // what came before it was watched
			return nil
		})
	}
	if c := s.conns[fd]; c != nil {
		s.drive(c)
	}
	return nil
}

// all serves every descriptor.
func (s *signalled) all() error {
	for _, c := range s.conns {
		s.drive(c)
	}
	return s.changed(s.listener)
}

// drive moves a connection on until it has to wait: a signal comes when something changes, and not again
// for what is there still.
func (s *signalled) drive(c *conn) {
	for {
		wait, err := c.step()
		if err != nil {
			delete(s.conns, c.fd)
			unix.Close(c.fd)
			return
		}
		if wait != nothing {
			return
		}
	}
}
