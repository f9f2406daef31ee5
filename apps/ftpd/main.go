// Ftpd is an FTP server for one directory.
//
// Without configuration it serves the current directory on 127.0.0.1:2121 to
// one user, whose generated password it prints with command lines to paste:
//
//	go run ./apps/ftpd
//
// SIGINT and SIGTERM let transfers finish, for as long as -drain says; a second
// signal ends them. Without TLS, which is not served yet, passwords and files
// can be read on the way: think before you listen on more than 127.0.0.1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/runtime"
)

func main() {
	o, err := parseOptions(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		os.Exit(2) // reported by package flag
	case o.hash:
		err = printHash(os.Stdin, os.Stdout)
	case o.check:
		err = check(o, os.Stdout)
	default:
		err = run(o, os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "ftpd:", strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
}

// run serves until a signal or an error.
func run(o *options, stdout, stderr io.Writer) error {
	cfg, access, err := configure(o)
	if err != nil {
		return err
	}
	defer cfg.Root.Close()
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	cfg.Logger = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	engine, stop, err := newEngine(o)
	if err != nil {
		return err
	}
	defer stop()
	cfg.Engine = engine
	srv, err := server.New(cfg)
	if err != nil {
		return byFlag(err)
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	l, err := cfg.Engine.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	cfg.Engine.GoBalanced(func() { served <- srv.Serve(l) })
	access.print(stdout, o, l.Addr())
	go removeStale(cfg)
	select {
	case err := <-served:
		return errors.Join(err, srv.Close())
	case s := <-signals:
		cfg.Logger.Info("shutting down", slog.String("signal", s.String()), slog.Duration("drain", o.drain))
	}
	ctx, cancel := context.WithTimeout(context.Background(), o.drain)
	defer cancel()
	go func() {
		<-signals
		cancel()
	}()
	if err := srv.Shutdown(ctx); err != nil {
		return fmt.Errorf("transfers were cut off: %w", err)
	}
	return nil
}

// staleAge is how long the temporary file of an upload is left alone: another
// server on the same directory may be writing it.
const staleAge = 24 * time.Hour

// removeStale removes what uploads left behind when a server was killed.
func removeStale(cfg server.Config) {
	root, ok := cfg.Root.(*storage.OSRoot)
	if !ok {
		return // read-only
	}
	n, err := root.RemoveStale(staleAge)
	if n > 0 {
		cfg.Logger.Info("removed what broken uploads left", slog.Int("files", n))
	}
	if err != nil && !errors.Is(err, fs.ErrClosed) {
		cfg.Logger.Warn("cannot remove all that broken uploads left", slog.Any("error", err))
	}
}

// newEngine returns the engine that was asked for, and what ends it.
func newEngine(o *options) (e server.Engine, stop func(), err error) {
	if o.engine != "task" {
		return server.Goroutines(), func() {}, nil
	}
	rt, err := runtime.New(runtime.Config{Workers: o.workers})
	if err != nil {
		return nil, nil, err
	}
	return server.Tasks(rt), func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = rt.Stop(ctx) // the process ends all the same
	}, nil
}
