// Ftpd is an FTP server for one directory.
//
// Without configuration it serves the current directory on 127.0.0.1:2121 to
// one user, whose generated password it prints with command lines to paste:
//
//	go run ./apps/ftpd
//
// SIGINT and SIGTERM let transfers finish, for as long as -drain says; a second
// signal ends them. SIGHUP makes it read its certificate again. Without TLS
// (-tls-cert) passwords and files can be read on the way: think before you listen
// on more than 127.0.0.1.
//
// With -processes it is several processes that accept from one port, and one that
// looks after them: see docs/ftpd.md.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	stdnet "net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/runtime/process"
)

func main() {
	process.Init() // does not return in the processes of -processes
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
	signals := catch(syscall.SIGINT, syscall.SIGTERM)
	hups := catch(syscall.SIGHUP)
	cfg, access, err := configure(o)
	if err != nil {
		return err
	}
	defer cfg.Root.Close()
	cfg.Logger = newLogger(o, stderr)
	ports, err := openPorts(o, cfg.TLS.Config != nil)
	if err != nil {
		return err
	}
	defer closePorts(ports)
	if o.processes > 1 {
		return supervise(o, cfg, access, ports, signals, hups, stdout)
	}
	s, err := newService(o, cfg, ports, func(l stdnet.Listener) stdnet.Listener { return l })
	if err != nil {
		return err
	}
	defer s.close()
	s.serve()
	go func() {
		for range hups {
			access.cert.reload(cfg.Logger)
		}
	}()
	access.print(stdout, o, ports[0].addr)
	go removeStale(cfg)
	select {
	case err := <-s.ended:
		return errors.Join(err, s.srv.Close())
	case sig := <-signals:
		cfg.Logger.Info("shutting down", slog.String("signal", sig.String()), slog.Duration("drain", o.drain))
	}
	return drain(s, signals)
}

// catch returns a channel of signals, which no longer end the program: it is called
// before anything that takes its time.
func catch(which ...os.Signal) <-chan os.Signal {
	c := make(chan os.Signal, 2)
	signal.Notify(c, which...)
	return c
}

func newLogger(o *options, w io.Writer) *slog.Logger {
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
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
