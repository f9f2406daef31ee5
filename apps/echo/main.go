// Command echo is the tutorial's socket server: it answers each message in
// upper case. One task serves one connection.
//
//	go run ./apps/echo -addr 127.0.0.1:7007
//
// With -plain it echoes the bytes unchanged.
package main

import (
	"context"
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
	network := flag.String("network", "tcp", "tcp, tcp4, tcp6 or unix")
	addr := flag.String("addr", "127.0.0.1:7007", "address to listen on")
	plain := flag.Bool("plain", false, "echo unchanged, not in upper case")
	workers := flag.Int("workers", 0, "threads that run tasks; 0: one per processor")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "echo: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := run(*network, *addr, *plain, *workers); err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

// grace is how long connections may go on after a signal.
const grace = time.Second

// run serves until SIGINT or SIGTERM.
func run(network, addr string, plain bool, workers int) error {
	rt, err := runtime.New(runtime.Config{Workers: workers})
	if err != nil {
		return err
	}
	defer func() { _ = rt.Stop(context.Background()) }()
	l, err := net.Listen(network, addr)
	if err != nil {
		return err
	}
	fmt.Println("listening on", l.Addr())
	echo := &Echo{Upper: !plain}
	srv := &server.StreamServer{Handler: echo.Serve}
	signals, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(signals, func() {
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		_ = srv.Shutdown(ctx)
	})
	err = rt.Run(func() error { return srv.Serve(l) })
	fmt.Println(echo.Summary())
	if err == server.ErrServerClosed {
		return nil
	}
	return err
}
