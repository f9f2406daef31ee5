package process

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/poll"
	"golang.org/x/sys/unix"
)

// listener is where processes connect that are neither parent nor child of this one,
// and have got a handle to one of its objects. It is opened when the first handle is
// sent away.
var listener struct {
	sync.Mutex
	fd *poll.FD
}

// listen opens the listener, if need be.
func listen() error {
	listener.Lock()
	defer listener.Unlock()
	if listener.fd != nil {
		return nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: self.id.socketName()}); err != nil {
		_ = unix.Close(fd)
		return os.NewSyscallError("bind", err)
	}
	if err := unix.Listen(fd, 1024); err != nil {
		_ = unix.Close(fd)
		return os.NewSyscallError("listen", err)
	}
	listener.fd = poll.New(fd, false)
	l := listener.fd
	runtime.Default().Spawn(func() { accept(l) })
	return nil
}

// stopListening closes the listener. The next handle opens it again.
func stopListening() {
	listener.Lock()
	fd := listener.fd
	listener.fd = nil
	listener.Unlock()
	if fd != nil {
		_ = fd.Close()
	}
}

// accept is the listener's task.
func accept(l *poll.FD) {
	for {
		fd, err := l.Accept(new(unix.RawSockaddrAny))
		switch {
		case err == nil:
			runtime.Spawn(func() { welcome(poll.New(fd, true)) })
		case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
			runtime.Sleep(10 * time.Millisecond)
		default:
			stopListening() // killed, or closed already
			return
		}
	}
}

// helloPatience is how long one that connects may take to say who it is: it has
// connected in order to do that.
const helloPatience = 10 * time.Second

// welcome gives one that has connected its side of a link. It must be of the same user,
// who could read this process's memory anyway.
func welcome(conn *poll.FD) {
	defer func() { _ = conn.Close() }()
	var ours linkFiles
	var id processID
	err := conn.SetDeadline(time.Now().Add(helloPatience))
	if err == nil {
		err = checkUser(conn)
	}
	for n := 0; err == nil && n < len(id); {
		var k int
		k, err = conn.Read(id[n:])
		n += k
	}
	if err != nil {
		return
	}
	ours, theirs, err := newLinkFiles()
	if err != nil {
		return
	}
	defer theirs.close()
	var sent error
	err = conn.RawWrite(func(fd uintptr) bool {
		_, sent = unix.SendmsgN(int(fd), []byte{1}, unix.UnixRights(theirs.list()...), nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		return sent != unix.EAGAIN
	})
	if err != nil || sent != nil {
		ours.close()
		return
	}
	_, _ = openLink(id, ours)
}

func checkUser(conn *poll.FD) error {
	var cred *unix.Ucred
	var err error
	closed := conn.RawControl(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	switch {
	case closed != nil:
		return closed
	case err != nil:
		return err
	case int(cred.Uid) != os.Geteuid():
		return os.ErrPermission
	}
	return nil
}

// dial connects to the process that is listening under id.
func dial(id processID) (*link, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	// This blocks while a thousand others are in front.
	offloadErr := runtime.OffloadShielded(func() { err = unix.Connect(fd, &unix.SockaddrUnix{Name: id.socketName()}) })
	if err == nil {
		err = offloadErr
	}
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		_ = unix.Close(fd)
		if err == unix.ECONNREFUSED {
			return nil, ErrGone
		}
		return nil, os.NewSyscallError("connect", err)
	}
	conn := poll.New(fd, true)
	defer func() { _ = conn.Close() }()
	if err := checkUser(conn); err != nil {
		return nil, err
	}
	if _, err := conn.Write(self.id[:]); err != nil {
		return nil, dialError(err)
	}
	var oob [256]byte
	var n, oobn int
	var recvErr error
	err = conn.RawRead(func(fd uintptr) bool {
		n, oobn, _, _, recvErr = unix.Recvmsg(int(fd), make([]byte, 1), oob[:], unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
		return recvErr != unix.EAGAIN && recvErr != unix.EINTR
	})
	if err == nil {
		err = recvErr
	}
	if err != nil {
		return nil, dialError(err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || n == 0 || len(messages) != 1 {
		return nil, ErrGone
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return nil, err
	}
	if len(fds) != 4 {
		closeAll(fds)
		return nil, ErrGone
	}
	return openLink(id, linkFilesOf(fds))
}

// dialError translates the error of a process that ends while it is connected to.
func dialError(err error) error {
	if err == unix.EPIPE || err == unix.ECONNRESET {
		return ErrGone
	}
	return err
}
