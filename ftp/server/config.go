package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/storage"
)

// Config says what a server serves, and its limits. Auth and one of Root and
// RootFor are required; the zero value of every other field means its default,
// and a negative number or time no limit.
type Config struct {
	// Engine is what the server runs on. The default is Tasks(nil).
	Engine Engine

	// Auth checks logins.
	Auth auth.Authenticator

	// Root is the tree that is served. Each user sees the part below the home of
	// his Identity, as if there was nothing above. The server does not close it.
	Root storage.FS

	// RootFor, unless nil, gives a user his tree in place of Root, whatever his
	// home. It may block. The session closes the tree when it ends.
	RootFor func(*auth.Identity) (storage.FS, error)

	// Greeting is the text of the first reply. The default is "FTP server ready."
	Greeting string

	// Logger gets logins, transfers and what goes wrong; at debug level also
	// commands. Passwords are never logged and control characters are escaped.
	// The default is slog.Default().
	Logger *slog.Logger

	// MaxSessions bounds all sessions, by default 10000, and MaxSessionsPerIP
	// those of one IPv4 address or IPv6 /64 network, by default 256. Beyond them
	// a client gets 421.
	MaxSessions, MaxSessionsPerIP int

	// MaxPending bounds the sessions in which nobody is logged in, by default half
	// of MaxSessions, and MaxSessionsPerUser those of one user, by default as many
	// as there may be: beyond it a login gets 530.
	MaxPending, MaxSessionsPerUser int

	// MaxStoreCalls bounds the calls of Root, or of each user's tree of RootFor, that
	// run at a time, by default 64: half of the threads for blocking calls that a
	// runtime has by default. A disk that hangs then leaves threads for the others.
	MaxStoreCalls int

	// IdleTimeout ends a session that sends no command and has no transfer. The
	// default is five minutes, the least RFC 1123 section 4.1.3.2 allows.
	IdleTimeout time.Duration

	// LoginTimeout is how long a session may last without a login. The default
	// is two minutes.
	LoginTimeout time.Duration

	// DataTimeout is how long a transfer waits for its data connection, by
	// default ten seconds. PASV, EPSV, PORT and EPRT wait six times as long for
	// their command: then the port is closed.
	DataTimeout time.Duration

	// StallTimeout ends a transfer whose connection moves nothing for so long, or
	// less than MinRate bytes a second on average. The defaults are two minutes
	// and 16.
	StallTimeout time.Duration
	MinRate      int64

	// MaxLoginAttempts is the number of failed logins that ends a session, by
	// default 3. Each is answered after LoginDelay, by default one second.
	MaxLoginAttempts int
	LoginDelay       time.Duration

	// BanAfter is the number of failed logins from one IPv4 address or IPv6 /64
	// network within BanTime after which its connections get 421 for BanTime. The
	// defaults are 20 and ten minutes.
	BanAfter int
	BanTime  time.Duration

	// LockAfter is the number of failed logins with one name, from anywhere, after
	// which more are denied for BanTime, but for networks from which the user has
	// logged in before. The default is no limit: it is a way to lock out users who
	// come from elsewhere.
	LockAfter int

	// Register keeps count of the sessions and failed logins that the limits above are
	// about, MaxStoreCalls and MaxLoginAttempts apart. The default is NewRegister with
	// this Config, which is then the server's alone.
	Register Register

	// PassivePorts are the ports of PASV and EPSV, of which one is picked at
	// random. The default is 49152 to 65535, and any other if none of those is
	// free.
	PassivePorts PortRange

	// SharedPorts makes all sessions share PassivePorts, which must be given and
	// at most 1024: few ports do for many clients then. Serve listens on all of
	// them, and connections are told apart by port and client address, so that as
	// many sessions of one address as there are ports can open a passive data
	// connection at a time; others get 425.
	SharedPorts bool

	// PublicHost is what PASV tells of, for a server behind address translation: an
	// IPv4 address, or a name, which is looked up again after PublicRefresh, by
	// default a minute. While that fails, the last address is told. By default it
	// is the address the client has connected to. PublicNetworks are exceptions, of
	// which the first that fits counts. EPSV is not concerned: it tells of no
	// address.
	PublicHost     string
	PublicNetworks []PublicNetwork
	PublicRefresh  time.Duration

	// LookupHost, unless nil, looks up the IPv4 address of PublicHost and
	// PublicNetworks in place of the system's resolver. It may block.
	LookupHost func(ctx context.Context, host string) (netip.Addr, error)

	// ActivePort is the port that active data connections (PORT, EPRT) come from,
	// 20 by tradition, which takes privileges. The default is any.
	ActivePort uint16

	// FXP are networks whose hosts may be the other end of a data connection, beside
	// the client itself: for transfers from server to server. Whoever can log in
	// can make the server connect there, to ports from 1024 on.
	FXP []netip.Prefix

	// RawDownloads and RawUploads leave the bytes of files as they are under TYPE A,
	// too: for clients that begin with it, as RFC 959 has them, and mean TYPE I.
	RawDownloads, RawUploads bool

	// Quota bounds what the tree of a user may hold, unless the user's Identity has limits
	// of its own. What would exceed it gets 552. Users with the same Home share what it
	// holds. The tree is walked before the first write of its first session: see
	// storage.Usage.
	Quota storage.Limits

	// MaxFileSize bounds what is uploaded to one file, in bytes; beyond it an upload
	// gets 552. The default is no limit.
	MaxFileSize int64

	// MaxIdleTimeout bounds what SITE IDLE may ask for, by default two hours, or
	// IdleTimeout if that is longer.
	MaxIdleTimeout time.Duration

	// AllowSymlink lets users with the right to write make symbolic links (SITE
	// SYMLINK). They lead to paths inside the tree only, whatever is put there later.
	AllowSymlink bool

	// Hosts are virtual hosts by their names in lower case. A client chooses one by
	// HOST; one that does not gets what is in this Config. Without any, HOST takes
	// every name.
	Hosts map[string]*Host

	// TLS secures connections.
	TLS TLS

	// TrustedProxies are networks of proxies that begin each control connection with
	// a header of the PROXY protocol, version 1 or 2, which names the client. A
	// connection from there without one is dropped. Data connections do not go by
	// way of the proxy: the client's must reach the server from its own address.
	TrustedProxies []netip.Prefix
}

// A ConfigError says which field of a Config is wrong.
type ConfigError struct {
	Field  string
	Reason string
}

// Error returns field and reason.
func (e *ConfigError) Error() string { return "server: config: " + e.Field + ": " + e.Reason }

// noLimit stands in for a limit that is off.
const (
	noLimit     = int(^uint(0) >> 1)
	noTimeLimit = 100 * 365 * 24 * time.Hour
)

// complete checks the configuration and fills in defaults.
func (c *Config) complete() error {
	if c.Auth == nil {
		return &ConfigError{"Auth", "missing"}
	}
	if (c.Root == nil) == (c.RootFor == nil) {
		return &ConfigError{"Root", "one of Root and RootFor is needed"}
	}
	if err := c.checkData(); err != nil {
		return err
	}
	if c.LookupHost == nil {
		c.LookupHost = lookupIPv4
	}
	if c.Engine == nil {
		c.Engine = Tasks(nil)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Greeting == "" {
		c.Greeting = "FTP server ready."
	}
	c.completeLimits()
	count(&c.MaxStoreCalls, 64)
	count(&c.MaxLoginAttempts, 3)
	if c.Register == nil {
		c.Register = NewRegister(*c)
	}
	span(&c.IdleTimeout, 5*time.Minute)
	span(&c.LoginTimeout, 2*time.Minute)
	span(&c.DataTimeout, 10*time.Second)
	span(&c.StallTimeout, 2*time.Minute)
	switch {
	case c.MinRate == 0:
		c.MinRate = 16
	case c.MinRate < 0:
		c.MinRate = 0
	}
	switch {
	case c.LoginDelay == 0:
		c.LoginDelay = time.Second
	case c.LoginDelay < 0:
		c.LoginDelay = 0
	}
	return nil
}

// completeLimits fills in the limits of which a Register keeps count.
func (c *Config) completeLimits() {
	count(&c.MaxSessions, 10000)
	count(&c.MaxSessionsPerIP, 256)
	count(&c.MaxPending, max(c.MaxSessions/2, 1))
	count(&c.MaxSessionsPerUser, noLimit)
	count(&c.BanAfter, 20)
	count(&c.LockAfter, noLimit)
	span(&c.BanTime, 10*time.Minute)
}

// checkData checks what concerns data connections.
func (c *Config) checkData() error {
	if err := c.PassivePorts.check(); err != nil {
		return &ConfigError{"PassivePorts", err.Error()}
	}
	switch {
	case !c.SharedPorts:
	case c.PassivePorts == PortRange{} || c.PassivePorts.size() > maxSharedPorts:
		return &ConfigError{"SharedPorts", fmt.Sprintf("PassivePorts must name 1 to %d ports to share", maxSharedPorts)}
	case len(c.FXP) > 0:
		return &ConfigError{"SharedPorts", "not together with FXP: sessions are told apart by the client's address"}
	}
	if err := checkPublicHost(c.PublicHost); err != nil {
		return &ConfigError{"PublicHost", err.Error()}
	}
	for _, n := range c.PublicNetworks {
		if err := checkPublicHost(n.Host); err != nil {
			return &ConfigError{"PublicNetworks", err.Error()}
		}
	}
	if err := checkActivePort(c.ActivePort); err != nil {
		return &ConfigError{"ActivePort", err.Error()}
	}
	span(&c.PublicRefresh, time.Minute)
	span(&c.MaxIdleTimeout, max(2*time.Hour, c.IdleTimeout))
	if c.MaxFileSize <= 0 {
		c.MaxFileSize = noLength
	}
	if err := checkHosts(c.Hosts); err != nil {
		return err
	}
	if err := checkTLS(&c.TLS); err != nil {
		return err
	}
	return nil
}

// maxSharedPorts bounds what Serve listens on.
const maxSharedPorts = 1024

func count(limit *int, standard int) {
	switch {
	case *limit == 0:
		*limit = standard
	case *limit < 0:
		*limit = noLimit
	}
}

func span(limit *time.Duration, standard time.Duration) {
	switch {
	case *limit == 0:
		*limit = standard
	case *limit < 0:
		*limit = noTimeLimit
	}
}

// PortRange is a range of ports, both ends included. The zero value is none.
type PortRange struct{ Lo, Hi uint16 }

var errPortRange = errors.New("expected two ports, LO-HI")

// ParsePortRange parses "lo-hi".
func ParsePortRange(s string) (PortRange, error) {
	lo, hi, ok := strings.Cut(s, "-")
	if !ok {
		return PortRange{}, fmt.Errorf("ports %q: %w", s, errPortRange)
	}
	l, errLo := strconv.ParseUint(lo, 10, 16)
	h, errHi := strconv.ParseUint(hi, 10, 16)
	r := PortRange{uint16(l), uint16(h)}
	if errLo != nil || errHi != nil || r == (PortRange{}) || r.check() != nil {
		return PortRange{}, fmt.Errorf("ports %q: %w", s, errPortRange)
	}
	return r, nil
}

// String returns "lo-hi", or "any" for the zero value.
func (r PortRange) String() string {
	if r == (PortRange{}) {
		return "any"
	}
	return fmt.Sprintf("%d-%d", r.Lo, r.Hi)
}

func (r PortRange) size() int { return int(r.Hi) - int(r.Lo) + 1 }

func (r PortRange) check() error {
	if r != (PortRange{}) && (r.Lo == 0 || r.Hi < r.Lo) {
		return errPortRange
	}
	return nil
}
