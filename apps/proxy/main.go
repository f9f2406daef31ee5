// Command proxy passes TCP connections on to another address.
//
//	go run ./apps/proxy -listen 127.0.0.1:8080 -to 127.0.0.1:80
//
// The kernel copies (splice). Each connection's end is logged with what it has moved.
// SIGINT and SIGTERM let connections go on for as long as -grace says.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "`address` to listen on")
	to := flag.String("to", "", "`address` to pass connections on to")
	limit := flag.Int("limit", 0, "connections at a time; further ones wait in the kernel (0: no limit)")
	grace := flag.Duration("grace", 10*time.Second, "how long connections may go on after a signal")
	dial := flag.Duration("dial-timeout", 10*time.Second, "how long the other side may take to accept a connection")
	workers := flag.Int("workers", 0, "threads that run tasks; 0: one per processor")
	flag.Parse()
	if flag.NArg() > 0 || *to == "" {
		fmt.Fprintln(os.Stderr, "proxy: want -to, and no arguments")
		flag.Usage()
		os.Exit(2)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	p := &Proxy{To: *to, DialTimeout: *dial, Log: log}
	if err := run(p, *listen, *limit, *workers, *grace); err != nil {
		fmt.Fprintln(os.Stderr, "proxy:", err)
		os.Exit(1)
	}
}

// run serves until SIGINT or SIGTERM.
func run(p *Proxy, listen string, limit, workers int, grace time.Duration) error {
	rt, err := runtime.New(runtime.Config{Workers: workers})
	if err != nil {
		return err
	}
	defer func() { _ = rt.Stop(context.Background()) }()
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Println("listening on", l.Addr())
	srv := &server.StreamServer{Handler: p.Serve, Limit: limit}
	signals, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(signals, func() {
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		_ = srv.Shutdown(ctx)
	})
	err = rt.Run(func() error { return srv.Serve(l) })
	fmt.Println(p.Summary())
	if errors.Is(err, server.ErrServerClosed) {
		return nil
	}
	return err
}
