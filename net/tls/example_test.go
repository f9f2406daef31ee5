package tls_test

import (
	"fmt"
	"io"
	"log"

	"github.com/weft-go/weft/net/tls"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// A server and a client, each a task. The end of the question is a close_notify, and
// the answer still comes.
func Example() {
	runtimetest.Example(func() {
		l, err := tls.Listen("tcp", "127.0.0.1:0", serverConfig())
		if err != nil {
			log.Fatal(err)
		}
		server := runtime.Spawn(func() {
			c, err := l.Accept()
			if err != nil {
				log.Fatal(err)
			}
			defer c.Close()
			question, err := io.ReadAll(c)
			fmt.Fprintf(c, "You said %q, %v.", question, err)
		})
		c, err := tls.Dial("tcp", l.Addr().String(), clientConfig())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprint(c, "hello")
		if err := c.CloseWrite(); err != nil {
			log.Fatal(err)
		}
		answer, err := io.ReadAll(c)
		fmt.Printf("%s %v\n", answer, err)
		_ = server.Join()
		_, _ = c.Close(), l.Close()
	})
	// Output: You said "hello", <nil>. <nil>
}

// One task waits for what comes while others write: none of them holds up the worker
// on which all three are.
func ExampleConn() {
	runtimetest.Example(func() {
		l, err := tls.Listen("tcp", "127.0.0.1:0", serverConfig())
		if err != nil {
			log.Fatal(err)
		}
		server := runtime.Spawn(func() {
			c, err := l.Accept()
			if err != nil {
				log.Fatal(err)
			}
			_, _ = io.Copy(c, struct{ io.Reader }{c}) // an echo
			_ = c.Close()
		})
		c, err := tls.Dial("tcp", l.Addr().String(), clientConfig())
		if err != nil {
			log.Fatal(err)
		}
		reader := runtime.Spawn(func() {
			all, err := io.ReadAll(c)
			fmt.Printf("%s %v\n", all, err)
		})
		for _, word := range []string{"one ", "two"} {
			_ = runtime.Spawn(func() { fmt.Fprint(c, word) }).Join()
		}
		_ = c.CloseWrite()
		_, _ = reader.Join(), server.Join()
		_, _ = c.Close(), l.Close()
	})
	// Output: one two <nil>
}
