package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	stdnet "net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// access is what a user has to know to log in.
type access struct {
	user     string // "" if there are several
	password string // "" unless it was generated
	secret   string // the password, generated or not
	users    []byte // the file of users
	cert     *certificate
	quota    bool // somebody has one
}

// configure opens what the command line names. The caller closes the root.
func configure(o *options) (cfg server.Config, a access, err error) {
	cfg.MaxSessions, cfg.MaxSessionsPerIP, cfg.IdleTimeout = o.maxSessions, o.maxPerIP, o.idle
	if o.passivePorts != "" {
		if cfg.PassivePorts, err = server.ParsePortRange(o.passivePorts); err != nil {
			return cfg, a, err
		}
	}
	cfg.MaxSessionsPerUser, cfg.BanAfter, cfg.LockAfter, cfg.BanTime = o.maxPerUser, o.banAfter, o.lockAfter, o.banTime
	cfg.MaxPending, cfg.LoginTimeout, cfg.StallTimeout, cfg.MinRate = o.pending, o.login, o.stall, o.minRate
	cfg.TrustedProxies = o.proxies
	cfg.SharedPorts, cfg.PublicHost, cfg.PublicNetworks = o.sharedPorts, o.publicHost, o.publicNetworks
	cfg.ActivePort, cfg.FXP = uint16(o.activePort), o.fxp
	cfg.AllowSymlink, cfg.MaxFileSize = o.symlinks, o.maxFileSize
	cfg.Quota = o.quota
	cfg.RawDownloads, cfg.RawUploads = o.rawDownloads, o.rawUploads
	if cfg.TLS, a.cert, err = tlsConfig(o); err != nil {
		return cfg, a, err
	}
	cert := a.cert
	if cfg.Auth, a, err = authenticator(o); err != nil {
		return cfg, a, err
	}
	a.cert = cert
	root, err := storage.OpenOSRoot(o.root, storage.Options{OwnerNames: true})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return cfg, a, fmt.Errorf("root %s: no such directory", o.root)
	case err != nil:
		return cfg, a, fmt.Errorf("root %s: %w", o.root, err)
	}
	cfg.Root = root
	if o.readOnly {
		cfg.Root, cfg.Auth = storage.ReadOnly(root), readOnly{cfg.Auth}
	}
	return cfg, a, nil
}

// authenticator returns the users of the file, or the one user.
func authenticator(o *options) (auth.Authenticator, access, error) {
	if o.users != "" {
		a := access{users: o.usersText}
		var err error
		if !o.child {
			a.users, err = os.ReadFile(o.users)
		}
		var users *auth.Users
		if err == nil {
			users, err = auth.ParseUsers(bytes.NewReader(a.users), o.users)
		}
		if err != nil {
			return nil, a, fmt.Errorf("users: %w", firstOf(err))
		}
		a.quota = o.quota != storage.Limits{} || users.HasQuota()
		return users, a, nil
	}
	a := access{user: o.user, quota: o.quota != storage.Limits{}}
	if strings.ContainsAny(o.user, ":\r\n\x00") {
		return nil, a, errors.New("-user: the name may hold no colon and no line end")
	}
	password := o.password
	if password == "" {
		a.password = auth.GeneratePassword()
		password = a.password
	}
	a.secret = password
	single, err := auth.NewSingle(auth.Identity{Name: o.user, Home: "/", Perms: auth.ReadWrite}, password)
	if err != nil {
		return nil, a, fmt.Errorf("-user: %w", err)
	}
	return single, a, nil
}

// firstOf returns the first of joined errors and says how many more there are.
func firstOf(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) < 2 {
		return err
	}
	all := joined.Unwrap()
	return fmt.Errorf("%w (and %d more)", all[0], len(all)-1)
}

// readOnly takes the rights to change anything away, so that listings tell the
// truth about them.
type readOnly struct{ auth.Authenticator }

func (r readOnly) Authenticate(ctx context.Context, user, password string, from auth.Peer) (*auth.Identity, error) {
	id, err := r.Authenticator.Authenticate(ctx, user, password, from)
	if err != nil {
		return nil, err
	}
	less := *id
	less.Perms &= auth.ReadOnly
	return &less, nil
}

// print tells how to reach the server, by lines that can be pasted into a
// shell.
func (a access) print(w io.Writer, o *options, addr stdnet.Addr) {
	at := reachable(addr)
	root, err := filepath.Abs(o.root)
	if err != nil {
		root = o.root
	}
	fmt.Fprintf(w, "Serving %s on %s.\n", root, addr)
	if a.cert != nil && a.cert.certFile == "" {
		fmt.Fprintf(w, "TLS with a certificate for trials, SHA-256 %s: curl --ssl-reqd --insecure ...\n", a.cert.fingerprint())
	}
	login := "USER"
	switch {
	case a.password != "":
		fmt.Fprintf(w, "User %s, password %s\n", a.user, a.password)
		login = a.user + ":" + a.password
	case a.user != "":
		login = a.user // curl asks for the password
	}
	fmt.Fprintf(w, "\nList:    curl --user %s ftp://%s/\n", quote(login), at)
	if !o.readOnly {
		fmt.Fprintf(w, "Upload:  curl --user %s --upload-file FILE ftp://%s/\n", quote(login), at)
	}
	fmt.Fprintln(w)
}

// reachable returns an address to connect to, where the one listened on stands
// for all of the machine's.
func reachable(addr stdnet.Addr) netip.AddrPort {
	ap, err := netip.ParseAddrPort(addr.String())
	switch {
	case err != nil || !ap.Addr().IsUnspecified():
		return ap
	case ap.Addr().Is4():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), ap.Port())
	}
	return netip.AddrPortFrom(netip.IPv6Loopback(), ap.Port())
}

// quote quotes a word for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// printHash reads a line and prints its hash.
func printHash(r io.Reader, w io.Writer) error {
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	hash, err := auth.HashPassword(strings.TrimRight(line, "\r\n"))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, hash)
	return err
}
