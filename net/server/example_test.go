package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// talk sends what a client says to a server, and returns all that it answers.
func talk(address, says string) string {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, says)
	_ = conn.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(conn)
	if err != nil {
		return err.Error()
	}
	return string(answer)
}

func ExampleStreamServer() {
	runtimetest.Example(func() {
		srv := &server.StreamServer{
			Limit: 100, // while so many are served, callers queue in the kernel
			Handler: func(conn net.Conn) {
				for in := bufio.NewScanner(conn); in.Scan(); {
					fmt.Fprintln(conn, strings.ToUpper(in.Text()))
				}
			}, // conn is closed here
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		runtime.Spawn(func() {
			fmt.Print(talk(l.Addr().String(), "hello\nbye\n"))
			srv.Stop()
		})
		fmt.Println(srv.Serve(l))
	})
	// Output:
	// HELLO
	// BYE
	// server: closed
}

// A shutdown waits for the handlers, for a while, and kills those that are left.
func ExampleStreamServer_Shutdown() {
	runtimetest.Example(func() {
		srv := &server.StreamServer{Handler: func(conn net.Conn) {
			fmt.Fprintln(conn, "welcome")
			_, err := conn.Read(make([]byte, 1)) // the client says nothing
			fmt.Println("killed:", errors.Is(err, runtime.ErrKilled), "by:", errors.Is(err, server.ErrServerClosed))
			fmt.Fprintln(conn, "goodbye")
		}}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		serving := runtime.Async(func() (struct{}, error) { return struct{}{}, srv.Serve(l) })
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			log.Fatal(err)
		}
		defer conn.Close()
		in := bufio.NewScanner(conn)
		in.Scan()
		fmt.Println(in.Text())

		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		fmt.Println("shutdown:", srv.Shutdown(ctx))
		fmt.Println("serve:", serving.Join())
		in.Scan()
		fmt.Println(in.Text())
	})
	// Output:
	// welcome
	// killed: true by: true
	// shutdown: context deadline exceeded
	// serve: server: closed
	// goodbye
}

// A handler may keep its connection for others.
func ExampleStreamServer_Hijack() {
	runtimetest.Example(func() {
		var srv *server.StreamServer
		srv = &server.StreamServer{Handler: func(conn net.Conn) {
			srv.Hijack()
			runtime.Spawn(func() {
				defer conn.Close()
				runtime.Sleep(time.Millisecond)
				fmt.Fprintln(conn, "there is no handler any more:", srv.Active())
			})
		}}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		runtime.Spawn(func() { _ = srv.Serve(l) })
		fmt.Print(talk(l.Addr().String(), ""))
		_ = srv.Close()
	})
	// Output: there is no handler any more: 0
}

// greeted is a connection whose client has said who it is.
type greeted struct {
	net.Conn
	in   *bufio.Reader // what has been read beyond that
	name string
}

func (c *greeted) Read(p []byte) (int, error) { return c.in.Read(p) }

// Wrap prepares a connection in the handler's task: whoever is slow there holds up
// nobody else, and has a limit. A TLS handshake goes in the same place.
func ExampleStreamServer_wrap() {
	runtimetest.Example(func() {
		srv := &server.StreamServer{
			Wrap: func(conn net.Conn) (net.Conn, error) {
				in := bufio.NewReader(conn)
				line, err := in.ReadString('\n')
				name, ok := strings.CutPrefix(line, "I am ")
				if err == nil && !ok {
					err = errors.New("no greeting")
				}
				return &greeted{conn, in, strings.TrimSpace(name)}, err
			},
			HandshakeTimeout: time.Second,
			OnError: func(err error) {
				fmt.Println("because:", errors.Unwrap(err))
			},
			Handler: func(conn net.Conn) {
				question, _ := io.ReadAll(conn)
				fmt.Fprintf(conn, "%s asked %q\n", conn.(*greeted).name, question)
			},
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		runtime.Spawn(func() { _ = srv.Serve(l) })
		fmt.Print(talk(l.Addr().String(), "I am ann\nwhat time is it?"))
		fmt.Printf("%q\n", talk(l.Addr().String(), "let me in\n"))
		_ = srv.Close()
	})
	// Output:
	// ann asked "what time is it?"
	// because: no greeting
	// ""
}

func ExampleDatagramServer() {
	runtimetest.Example(func() {
		srv := &server.DatagramServer{
			Place: runtime.Spawn, // short handlers, beside the one that reads
			Handler: func(conn net.PacketConn, data []byte, from net.Addr) {
				_, _ = conn.WriteTo([]byte(strings.ToUpper(string(data))), from)
			},
		}
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		serving := runtime.Async(func() (struct{}, error) { return struct{}{}, srv.Serve(conn) })
		client, err := net.Dial("udp", conn.LocalAddr().String())
		if err != nil {
			log.Fatal(err)
		}
		defer client.Close()
		fmt.Fprint(client, "hello")
		p := make([]byte, 100)
		n, err := client.Read(p)
		fmt.Printf("%s %v\n", p[:n], err)
		fmt.Println(srv.Shutdown(context.Background()))
		fmt.Println(serving.Join())
	})
	// Output:
	// HELLO <nil>
	// <nil>
	// server: closed
}
