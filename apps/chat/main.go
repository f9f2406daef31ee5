// Command chat is a chat room: what one says all hear.
//
//	go run ./apps/chat -addr 127.0.0.1:7008
//	nc 127.0.0.1 7008
//
// It shows what tasks of one worker are good for: all conversations share the list of
// who is there, and there is no lock, since tasks of one worker change places only
// where they wait.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:7008", "`address` to listen on")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "chat: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := run(*addr); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

// grace is how long those who are there may stay after a signal.
const grace = time.Second

// run serves until SIGINT or SIGTERM. One worker runs all: the room relies on it.
func run(addr string) error {
	rt, err := runtime.New(runtime.Config{Workers: 1})
	if err != nil {
		return err
	}
	defer func() { _ = rt.Stop(context.Background()) }()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println("listening on", l.Addr())
	room := &Room{Backlog: 100}
	srv := &server.StreamServer{Handler: room.Serve, Place: rt.Spawn}
	signals, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(signals, func() {
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		_ = srv.Shutdown(ctx)
	})
	if err := rt.Run(func() error { return srv.Serve(l) }); !errors.Is(err, server.ErrServerClosed) {
		return err
	}
	return nil
}
