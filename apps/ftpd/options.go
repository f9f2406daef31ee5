package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	goruntime "runtime"
	"strconv"
	"strings"
	"time"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// options are the command line.
type options struct {
	addr, root            string
	user, password, users string
	readOnly, verbose     bool
	hash, check           bool
	engine                string
	workers, processes    int
	passivePorts          string
	sharedPorts           bool
	publicHost            string
	publicNetworks        []server.PublicNetwork
	activePort            uint
	fxp                   []netip.Prefix
	proxies               []netip.Prefix
	maxSessions, maxPerIP int
	maxPerUser, pending   int
	login, stall          time.Duration
	minRate               int64
	banAfter, lockAfter   int
	banTime               time.Duration
	idle, drain           time.Duration
	tlsCert, tlsKey       string
	child                 bool   // one of several processes that serve, which has
	tlsPair               *pair  // this and
	usersText             []byte // this in place of the files
	tlsSelfSigned         bool
	tlsRequired           bool
	tlsCCC                bool
	tlsReuse              server.Reuse
	implicitAddr          string
	symlinks              bool
	maxFileSize           int64
	quota                 storage.Limits
	rawDownloads          bool
	rawUploads            bool
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
	f.BoolVar(&o.check, "check", false, "tell what these options mean, try them on this machine, and exit")
	f.StringVar(&o.engine, "engine", "task", "run on `task|goroutine`")
	f.IntVar(&o.workers, "workers", 0, "threads of the task engine, in each process (default: one for each processor, divided among the processes)")
	f.Func("processes", "serve by `N|auto` processes on one port; auto: one for each processor (default: this process alone)", o.setProcesses)
	f.StringVar(&o.passivePorts, "passive-ports", "", "ports for passive data connections, `LO-HI` (default: any)")
	f.BoolVar(&o.sharedPorts, "shared-ports", false, "all sessions share -passive-ports, told apart by client address: few ports for many clients")
	f.StringVar(&o.publicHost, "public-host", "", "IPv4 address or `name` to tell clients of PASV, behind address translation")
	f.Func("public-host-for", "`NETWORK=HOST`: as -public-host, for clients of that network, or with local:NETWORK for those\n"+
		"who connect to that address; without a HOST the address they connect to (repeatable)", o.addPublicNetwork)
	f.UintVar(&o.activePort, "active-port", 0, "`port` that active data connections come from, 20 by tradition (default: any)")
	f.Func("fxp", "`network` of servers that may be the other end of data connections (repeatable)", addNetwork(&o.fxp))
	f.IntVar(&o.maxSessions, "max-sessions", 0, "sessions at a time (default 10000)")
	f.IntVar(&o.maxPerIP, "max-per-ip", 0, "sessions at a time from one address (default 256)")
	f.IntVar(&o.maxPerUser, "max-per-user", 0, "sessions at a time of one user (default: as many as there may be)")
	f.IntVar(&o.pending, "max-pending", 0, "sessions at a time in which nobody is logged in (default: half of -max-sessions)")
	f.DurationVar(&o.login, "login-time", 0, "end sessions that have not logged in after so long (default 2m)")
	f.DurationVar(&o.stall, "stall", 0, "end transfers that move nothing, or less than -min-rate, for so long (default 2m)")
	f.Int64Var(&o.minRate, "min-rate", 0, "`bytes` a second, the least of a transfer (default 16, negative: none)")
	f.IntVar(&o.banAfter, "ban-after", 0, "failed logins after which an address is turned away for -ban-time (default 20, negative: never)")
	f.IntVar(&o.lockAfter, "lock-after", 0, "failed logins with one name after which it is locked for -ban-time, but where its user comes from (default: never)")
	f.DurationVar(&o.banTime, "ban-time", 0, "how long bans and locks last (default 10m)")
	f.Func("trust-proxy", "`network` of proxies that send a PROXY protocol header (repeatable)", addNetwork(&o.proxies))
	f.StringVar(&o.tlsCert, "tls-cert", "", "`file` of the certificate, and of those that sign it, for FTP over TLS; read again at SIGHUP")
	f.StringVar(&o.tlsKey, "tls-key", "", "`file` of its private key")
	f.BoolVar(&o.tlsSelfSigned, "tls-self-signed", false, "TLS for a trial, with a certificate that nobody has signed")
	f.BoolVar(&o.tlsRequired, "tls-required", false, "refuse logins and transfers in clear")
	f.BoolVar(&o.tlsCCC, "tls-ccc", false, "let clients take the control connection back to clear (CCC), for gateways that must read it")
	f.Func("tls-reuse", "`off|log|require`: data connections must resume the session of the control connection (default log)", o.setReuse)
	f.StringVar(&o.implicitAddr, "implicit-addr", "", "listen on this `address`, too, for connections that begin with TLS")
	f.BoolVar(&o.symlinks, "symlinks", false, "let users make symbolic links (SITE SYMLINK)")
	f.Int64Var(&o.maxFileSize, "max-file-size", 0, "`bytes` that an uploaded file may have (default: no limit)")
	f.Func("quota", "`bytes,files` that a user's home may hold, unless the users file says more: 10G or 10G,1000 or ,1000", func(text string) (err error) {
		o.quota.Bytes, o.quota.Files, err = auth.ParseQuota(text)
		return err
	})
	f.BoolVar(&o.rawDownloads, "raw-downloads", false, "send files as they are under TYPE A, too")
	f.BoolVar(&o.rawUploads, "raw-uploads", false, "store what comes as it is under TYPE A, too")
	f.DurationVar(&o.idle, "idle", 0, "end sessions that are idle for so long (default 5m)")
	f.DurationVar(&o.drain, "drain", 30*time.Second, "how long transfers may go on after a signal")
	f.BoolVar(&o.verbose, "v", false, "log every command")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, usage(f, "unexpected argument %q", f.Arg(0))
	}
	if o.activePort > 65535 {
		return nil, usage(f, "-active-port %d: not a port", o.activePort)
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

// setProcesses reads a number or auto.
func (o *options) setProcesses(s string) error {
	if s == "auto" {
		o.processes = goruntime.GOMAXPROCS(0)
		return nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > maxProcesses {
		return fmt.Errorf("want auto, or a number up to %d", maxProcesses)
	}
	o.processes = n
	return nil
}

// maxProcesses is more than any machine has a use for.
const maxProcesses = 1024

// setReuse reads off, log or require.
func (o *options) setReuse(s string) error {
	r, ok := reuses[s]
	if !ok {
		return errors.New("want off, log or require")
	}
	o.tlsReuse = r
	return nil
}

// addPublicNetwork reads [local:]NETWORK=HOST.
func (o *options) addPublicNetwork(s string) error {
	network, host, ok := strings.Cut(s, "=")
	if !ok {
		return errors.New("want NETWORK=HOST")
	}
	n := server.PublicNetwork{Host: host}
	at := &n.Clients
	if local, ok := strings.CutPrefix(network, "local:"); ok {
		network, at = local, &n.Local
	}
	var err error
	*at, err = parseNetwork(network)
	o.publicNetworks = append(o.publicNetworks, n)
	return err
}

// addNetwork returns a function of package flag that adds to a list.
func addNetwork(list *[]netip.Prefix) func(string) error {
	return func(s string) error {
		n, err := parseNetwork(s)
		*list = append(*list, n)
		return err
	}
}

// parseNetwork reads 10.0.0.0/8, or an address, which is a network of one.
func parseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is neither an address nor a network like 10.0.0.0/8", s)
	}
	return p.Masked(), nil
}

// flagOf names the flag that sets a field of server.Config.
var flagOf = map[string]string{
	"PassivePorts":   "-passive-ports",
	"SharedPorts":    "-shared-ports",
	"PublicHost":     "-public-host",
	"PublicNetworks": "-public-host-for",
	"ActivePort":     "-active-port",
	"TLS":            "TLS",
	"FXP":            "-fxp",
}

// byFlag returns an error of server.New in the words of the command line.
func byFlag(err error) error {
	e, ok := errors.AsType[*server.ConfigError](err)
	if !ok || flagOf[e.Field] == "" {
		return err
	}
	return fmt.Errorf("%s: %s", flagOf[e.Field], e.Reason)
}
