package net_test

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	stdnet "net"
)

// TestUnixUnlink: the listener's file is removed by Close, once, unless that was
// turned off.
func TestUnixUnlink(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		path := shortTempDir(t) + "/s"
		exists := func() bool {
			_, err := os.Lstat(path)
			return err == nil
		}
		l, err := n.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, tell("listening", exists()))
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		told = append(told, tell("closed", exists()))
		_, err = n.Dial("unix", path)
		told = append(told, tell("dial", err))

		// Another one there is not the first one's to remove.
		second, err := n.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, tell("close again", l.Close(), exists()))
		second.(interface{ SetUnlinkOnClose(bool) }).SetUnlinkOnClose(false)
		if err := second.Close(); err != nil {
			t.Error(err)
		}
		told = append(told, tell("not unlinked", exists()))
		_, err = n.Listen("unix", path)
		told = append(told, tell("listen", err))
		_, err = n.Dial("unix", path)
		told = append(told, tell("dial", err))
		return told
	})
}

// TestUnixAbstract: an abstract name is free again after Close.
func TestUnixAbstract(t *testing.T) {
	each(t, func(t *testing.T, n implementation) {
		name := fmt.Sprintf("@weft test %d", os.Getpid())
		for range 3 {
			l, err := n.Listen("unix", name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := n.Listen("unix", name); !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("the name twice: %v", err)
			}
			a, err := n.Dial("unix", name)
			if err != nil {
				t.Fatal(err)
			}
			if a.RemoteAddr().String() != name {
				t.Errorf("address %q", a.RemoteAddr())
			}
			_ = a.Close()
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, err := n.Dial("unix", name); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dial of a name that is free: %v", err)
		}
	})
}

// TestUnixBacklogFull: unlike TCP, a unix socket says at once that the listener
// does not keep up.
func TestUnixBacklogFull(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		path := shortTempDir(t) + "/s"
		s, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(s)
		if err := syscall.Bind(s, &syscall.SockaddrUnix{Name: path}); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Listen(s, 0); err != nil {
			t.Fatal(err)
		}
		var all []stdnet.Conn
		for err == nil {
			var conn stdnet.Conn
			if conn, err = n.Dial("unix", path); err == nil {
				all = append(all, conn)
			}
		}
		for _, conn := range all {
			_ = conn.Close()
		}
		return append(told, tell("dial", len(all), err))
	})
}
