// Upper is a server that answers in upper case, and its load: a hundred clients with a
// hundred messages each. Every tenth client is cut off by force in the middle, and the others
// do not notice. (For the server alone see apps/echo.)
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"sync/atomic"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
)

const clients, messages = 100, 100

func main() {
	runtime.Main(func() {
		var served, cut atomic.Int32 // the handlers run on all workers
		srv := &server.StreamServer{Handler: func(conn net.Conn) {
			served.Add(1)
			if err := answer(conn); err != nil {
				cut.Add(1)
			}
		}}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		serving := runtime.Spawn(func() { _ = srv.Serve(l) }) // until Shutdown

		all := 0 // tasks of one worker take turns: it needs no lock
		var tasks []*runtime.Task
		for id := range clients {
			tasks = append(tasks, runtime.Spawn(func() {
				answers, err := talk(l.Addr().String(), id, id%10 == 0)
				if err != nil {
					log.Fatal(err)
				}
				if answers == messages {
					all++
				}
			}))
		}
		_ = runtime.JoinAll(tasks...)
		if err := srv.Shutdown(context.Background()); err != nil { // waits for the handlers
			log.Fatal(err)
		}
		_ = serving.Join()
		fmt.Println(all, "clients had all", messages, "answers")
		fmt.Println(served.Load(), "connections were served,", cut.Load(), "of them cut off")
	})
}

// answer serves one connection: plain code, one thing after the other.
func answer(conn net.Conn) error {
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			_, err = conn.Write(bytes.ToUpper(buf[:n]))
		}
		if err != nil {
			return err
		}
	}
}

// talk is one client. It returns how many right answers it has had.
func talk(addr string, id int, cutOff bool) (answers int, err error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	for answers < messages {
		message := fmt.Sprintf("client %d, message %d", id, answers)
		if _, err := io.WriteString(conn, message); err != nil {
			return answers, err
		}
		if cutOff && answers == messages/2 {
			return answers, conn.(*net.TCPConn).SetLinger(0) // Close resets the connection
		}
		got := make([]byte, len(message))
		if _, err := io.ReadFull(conn, got); err != nil {
			return answers, err
		}
		if want := fmt.Sprintf("CLIENT %d, MESSAGE %d", id, answers); string(got) != want {
			return answers, fmt.Errorf("the answer is %q, not %q", got, want)
		}
		answers++
	}
	return answers, nil
}
