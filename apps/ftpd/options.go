package main

import (
	"flag"
	"fmt"
	"io"
	"time"
)

// options are the command line.
type options struct {
	addr, root            string
	user, password, users string
	readOnly, verbose     bool
	hash                  bool
	engine                string
	workers               int
	passivePorts          string
	publicHost            string
	maxSessions, maxPerIP int
	idle, drain           time.Duration
}

func parseOptions(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	f := flag.NewFlagSet("ftpd", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.addr, "addr", "127.0.0.1:2121", "listen on this `address`")
	f.StringVar(&o.root, "root", ".", "serve this `directory`")
	f.StringVar(&o.user, "user", "weft", "`name` of the one user")
	f.StringVar(&o.password, "password", "", "password of the one user (default: generated and printed)")
	f.StringVar(&o.users, "users", "", "read users from this `file` instead; see package ftp/auth")
	f.BoolVar(&o.readOnly, "read-only", false, "refuse every change")
	f.BoolVar(&o.hash, "hash-password", false, "read a password from standard input, print its hash for a users file, and exit")
	f.StringVar(&o.engine, "engine", "task", "run on `task|goroutine`")
	f.IntVar(&o.workers, "workers", 0, "threads of the task engine (default: one for each processor)")
	f.StringVar(&o.passivePorts, "passive-ports", "", "ports for passive data connections, `LO-HI` (default: any)")
	f.StringVar(&o.publicHost, "public-host", "", "IPv4 address or `name` to tell clients of PASV, behind address translation")
	f.IntVar(&o.maxSessions, "max-sessions", 0, "sessions at a time (default 10000)")
	f.IntVar(&o.maxPerIP, "max-per-ip", 0, "sessions at a time from one address (default 256)")
	f.DurationVar(&o.idle, "idle", 0, "end sessions that are idle for so long (default 5m)")
	f.DurationVar(&o.drain, "drain", 30*time.Second, "how long transfers may go on after a signal")
	f.BoolVar(&o.verbose, "v", false, "log every command")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, usage(f, "unexpected argument %q", f.Arg(0))
	}
	if o.engine != "task" && o.engine != "goroutine" {
		return nil, usage(f, "-engine %q: want task or goroutine", o.engine)
	}
	return o, nil
}

// usage reports a misuse as package flag does.
func usage(f *flag.FlagSet, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	fmt.Fprintln(f.Output(), err)
	f.Usage()
	return err
}
