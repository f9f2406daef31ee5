package net_test

import (
	"bytes"
	"io"
	"os"
	"syscall"
	"testing"

	stdnet "net"
)

// TestFile: File gives a duplicate with a life of its own. Neither the connection
// nor a listener is changed by it: both still wait without blocking a thread.
func TestFile(t *testing.T) {
	for _, network := range networks {
		same(t, func(t *testing.T, n implementation) (told []string) {
			a, b := n.connected(t, network)
			f, err := a.(halves).File()
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			told = append(told, tell("name", f.Name()))
			if n.name != "std" {
				_ = f.Fd() // must not turn off the mode that the two share
			}
			raw, err := a.(halves).SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			var own uintptr
			if err := raw.Control(func(fd uintptr) {
				own = fd
				flags, err := fcntl(fd, syscall.F_GETFL)
				told = append(told, tell("non-blocking", flags&syscall.O_NONBLOCK != 0, err))
				flags, err = fcntl(fd, syscall.F_GETFD)
				told = append(told, tell("close on exec", flags&syscall.FD_CLOEXEC != 0, err))
			}); err != nil {
				t.Error(err)
			}
			fraw, err := f.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			if err := fraw.Control(func(fd uintptr) {
				told = append(told, tell("the same", fd == own))
				flags, err := fcntl(fd, syscall.F_GETFD)
				told = append(told, tell("close on exec", flags&syscall.FD_CLOEXEC != 0, err))
			}); err != nil {
				t.Error(err)
			}
			// The connection goes on.
			join := n.start(func() {
				buf := make([]byte, 4)
				if m, err := io.ReadFull(a, buf); m != 4 || err != nil {
					t.Errorf("Read = %d, %v", m, err)
				}
			})
			if n.rt != nil {
				waiting(t, n.rt, "readable", 1)
			}
			if _, err := b.Write([]byte("text")); err != nil {
				t.Error(err)
			}
			join()
			// The duplicate outlives it.
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			if _, err := b.Write([]byte("more")); err != nil {
				t.Error(err)
			}
			buf := make([]byte, 8)
			m, err := f.Read(buf)
			told = append(told, tell("file", string(buf[:m]), err))
			return told
		})
	}
}

func fcntl(fd uintptr, cmd int) (int, error) {
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, uintptr(cmd), 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// TestListenerFile is the same for listeners.
func TestListenerFile(t *testing.T) {
	for _, network := range networks {
		same(t, func(t *testing.T, n implementation) (told []string) {
			address := "127.0.0.1:0"
			if network == "unix" {
				address = shortTempDir(t) + "/s"
			}
			l, err := n.Listen(network, address)
			if err != nil {
				t.Fatal(err)
			}
			f, err := l.(interface{ File() (*os.File, error) }).File()
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			told = append(told, tell("name", f.Name()))
			join := n.start(func() {
				conn, err := l.Accept()
				if err != nil {
					t.Error(err)
					return
				}
				_ = conn.Close()
			})
			if n.rt != nil {
				waiting(t, n.rt, "readable", 1)
			}
			a, err := n.Dial(network, l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			join()
			_ = a.Close()
			// Closed, it still listens through the duplicate.
			target := l.Addr().String()
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			a, err = n.Dial(network, target)
			if err == nil {
				_ = a.Close()
			}
			told = append(told, tell("dial", err))
			again, err := stdnet.FileListener(f)
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, tell("again", again.Addr()))
			_ = again.Close()
			return told
		})
	}
}

// TestSyscallConn: Read and Write wait until the function is content.
func TestSyscallConn(t *testing.T) {
	for _, network := range networks {
		each(t, func(t *testing.T, n implementation) {
			a, b := n.connected(t, network)
			raw, err := a.(halves).SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			got := make([]byte, 8)
			calls, m := 0, 0
			join := n.start(func() {
				if err := raw.Read(func(fd uintptr) bool {
					calls++
					var err error
					m, err = syscall.Read(int(fd), got)
					return err != syscall.EAGAIN
				}); err != nil {
					t.Error(err)
				}
			})
			if n.rt != nil {
				waiting(t, n.rt, "readable", 1)
			}
			if _, err := b.Write([]byte("text")); err != nil {
				t.Error(err)
			}
			join()
			if n.rt != nil && calls != 2 || !bytes.Equal(got[:m], []byte("text")) {
				t.Errorf("%d calls, %q", calls, got[:m])
			}

			total := fill(t, a)
			join = n.start(func() {
				if err := raw.Write(func(fd uintptr) bool {
					_, err := syscall.Write(int(fd), []byte("!"))
					return err != syscall.EAGAIN
				}); err != nil {
					t.Error(err)
				}
			})
			all := make([]byte, total+1)
			if _, err := io.ReadFull(b, all); err != nil || all[total] != '!' {
				t.Errorf("%v", err)
			}
			join()
		})
	}
}

// TestListenerSyscallConn: a listener's descriptor is for Control.
func TestListenerSyscallConn(t *testing.T) {
	for _, network := range networks {
		same(t, func(t *testing.T, n implementation) (told []string) {
			address := "127.0.0.1:0"
			if network == "unix" {
				address = shortTempDir(t) + "/s"
			}
			l, err := n.Listen(network, address)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := l.(syscall.Conn).SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, tell("control", raw.Control(func(fd uintptr) {
				on, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
				told = append(told, tell("listens", on, err))
			})))
			use := func(uintptr) bool { t.Error("called"); return true }
			told = append(told, tell("read", raw.Read(use)), tell("write", raw.Write(use)))
			_ = l.Close()
			return append(told, tell("closed", raw.Control(func(uintptr) {})))
		})
	}
}
