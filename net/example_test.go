package net_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
)

// A server and a client, each in a task.
func Example() {
	if err := runtime.Default().Run(func() error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		runtime.Spawn(func() {
			conn, err := l.Accept() // parks the task
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = io.Copy(conn, conn)
		})
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			return err
		}
		defer conn.Close()
		fmt.Fprintln(conn, "hello")
		reply := make([]byte, 6)
		_, err = io.ReadFull(conn, reply)
		fmt.Print(string(reply))
		return err
	}); err != nil {
		log.Fatal(err)
	}
	// Output: hello
}

// Half-close: the client says that it has sent all, and still gets the reply.
func ExampleTCPConn() {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	runtime.Spawn(func() {
		conn, err := l.AcceptTCP()
		if err != nil {
			return
		}
		defer conn.Close()
		request, _ := io.ReadAll(conn)
		fmt.Fprintf(conn, "%d bytes", len(request))
	})
	conn, err := net.DialTCP("tcp", nil, l.Addr().(*net.TCPAddr))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "request")
	if err := conn.CloseWrite(); err != nil {
		log.Fatal(err)
	}
	reply, _ := io.ReadAll(conn)
	fmt.Println(string(reply))
	// Output: 7 bytes
}

// An Accept that waits no longer than its deadline.
func ExampleTCPListener() {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	_ = l.SetDeadline(time.Now().Add(time.Millisecond))
	_, err = l.Accept()
	netErr, ok := err.(net.Error)
	fmt.Println(ok && netErr.Timeout())
	// Output: true
}

func ExampleUnixConn() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	addr := &net.UnixAddr{Name: filepath.Join(dir, "socket"), Net: "unix"}
	l, err := net.ListenUnix("unix", addr)
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	client, err := net.DialUnix("unix", nil, addr)
	if err != nil {
		log.Fatal(err)
	}
	server, err := l.AcceptUnix()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(client, "through a file")
	_ = client.Close()
	text, _ := io.ReadAll(server)
	_ = server.Close()
	fmt.Println(string(text))
	// Output: through a file
}

// The socket's file goes with the listener, unless that is turned off.
func ExampleUnixListener() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "socket")
	for _, unlink := range []bool{true, false} {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			log.Fatal(err)
		}
		l.SetUnlinkOnClose(unlink)
		_ = l.Close()
		_, err = os.Stat(path)
		fmt.Println(err == nil)
	}
	// Output:
	// false
	// true
}

// Many runs of bytes by one system call.
func ExampleBuffers() {
	client, server := net.Pipe()
	runtime.Spawn(func() {
		b := net.Buffers{[]byte("head"), []byte("er, "), []byte("body")}
		_, _ = b.WriteTo(client) // of a TCP or unix connection: one system call
		_ = client.Close()
	})
	text, _ := io.ReadAll(server)
	fmt.Println(string(text))
	// Output: header, body
}

func ExampleDialer() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	d := net.Dialer{
		Timeout:   5 * time.Second,
		LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)},
	}
	conn, err := d.DialContext(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println(conn.LocalAddr().(*net.TCPAddr).IP)
	// Output: 127.0.0.2
}

// Two listeners on one port.
func ExampleListenConfig() {
	lc := net.ListenConfig{ReusePort: true}
	one, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer one.Close()
	two, err := lc.Listen(context.Background(), "tcp", one.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer two.Close()
	fmt.Println(one.Addr().String() == two.Addr().String())
	// Output: true
}

func ExampleResolver() {
	r := net.Resolver{CacheTTL: -1} // no cache
	addrs, err := r.LookupHost(context.Background(), "127.0.0.1")
	fmt.Println(addrs, err)
	_, err = r.LookupPort(context.Background(), "tcp", "no such service")
	fmt.Println(err)
	// Output:
	// [127.0.0.1] <nil>
	// lookup tcp/no such service: unknown port
}

func ExamplePipe() {
	client, server := net.Pipe()
	runtime.Spawn(func() {
		fmt.Fprint(client, "in memory")
		_ = client.Close()
	})
	text, err := io.ReadAll(server)
	fmt.Println(string(text), err)
	// Output: in memory <nil>
}

// A server that systemd starts at the first connection, and that listens itself
// otherwise.
func ExampleActivationListener() {
	passed, err := net.ActivationListeners()
	if err != nil {
		log.Fatal(err)
	}
	var l net.Listener
	if len(passed) > 0 {
		l = passed[0]
	} else if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	fmt.Println(l.Addr().Network(), len(passed))
	// Output: tcp 0
}
