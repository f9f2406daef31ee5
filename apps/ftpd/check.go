package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	stdnet "net"
	"net/netip"
	"net/textproto"
	"path/filepath"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// checkPatience bounds each step of a check.
const checkPatience = 10 * time.Second

// check tells what the server would do with these options, tries it on this
// machine, and returns the first error.
func check(o *options, w io.Writer) error {
	cfg, access, err := configure(o)
	if err != nil {
		return err
	}
	defer cfg.Root.Close()
	if err := checkProcesses(o, cfg, access); err != nil {
		return err
	}
	engine, stop, err := newEngine(o)
	if err != nil {
		return err
	}
	defer stop()
	cfg.Engine = engine

	// The trial serves an empty memory to a user of its own, in the same network.
	const user = "check"
	password := auth.GeneratePassword()
	if cfg.Auth, err = auth.NewSingle(auth.Identity{Name: user, Home: "/", Perms: auth.ReadOnly}, password); err != nil {
		return err
	}
	trial := cfg
	trial.Root, trial.TrustedProxies = storage.NewMem(), nil
	trial.Logger = slog.New(slog.DiscardHandler)
	srv, err := server.New(trial)
	if err != nil {
		return byFlag(err)
	}
	describe(o, w)
	public := tellPublic(o, w)
	l, err := engine.Listen("tcp", o.addr)
	if err != nil {
		return fmt.Errorf("-addr: %w (is ftpd running already?)", err)
	}
	served := make(chan error, 1)
	engine.GoBalanced(func() { served <- srv.Serve(l) })
	at := reachable(l.Addr())
	err = tryOut(at, user, password, w)
	if at.Addr().Is6() && addrIsAny(l.Addr()) { // and IPv4
		err = errors.Join(err, tryOut(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), at.Port()), user, password, w))
	}
	err = errors.Join(err, srv.Close())
	if serr := <-served; serr != server.ErrServerClosed {
		err = errors.Join(serr, err)
	}
	if err = errors.Join(public, err); err == nil {
		fmt.Fprintln(w, "All is well on this machine. What lies between it and the clients can't be seen from here.")
	}
	return err
}

func addrIsAny(a stdnet.Addr) bool {
	ap, err := netip.ParseAddrPort(a.String())
	return err == nil && ap.Addr().IsUnspecified()
}

// describe tells the options in words.
func describe(o *options, w io.Writer) {
	root, err := filepath.Abs(o.root)
	if err != nil {
		root = o.root
	}
	fmt.Fprintf(w, "Listens on     %s\nServes         %s\n", o.addr, root)
	if o.users != "" {
		fmt.Fprintf(w, "Users          those of %s\n", o.users)
	} else {
		fmt.Fprintf(w, "Users          %s\n", o.user)
	}
	_, port, _ := stdnet.SplitHostPort(o.addr) // Listen tells what is wrong with it
	if o.passivePorts == "" {
		fmt.Fprintf(w, "Passive ports  any; where a firewall or a container must let them through, give a range by -passive-ports\n")
	} else {
		r, _ := server.ParsePortRange(o.passivePorts) // configure has
		how := "one for each session that opens a data connection"
		if o.sharedPorts {
			how = "shared by all sessions"
		}
		fmt.Fprintf(w, "Passive ports  %s, %s; %d of %d are free\n", r, how, countFree(r), int(r.Hi)-int(r.Lo)+1)
		fmt.Fprintf(w, "Let through    TCP %s and %s (docker run -p %[1]s:%[1]s -p %[2]s:%[2]s)\n", port, r)
	}
	if o.processes > 1 {
		fmt.Fprintf(w, "Processes      %d, and one that looks after them\n", o.processes)
	}
	if o.activePort != 0 {
		fmt.Fprintf(w, "Active mode    from port %d\n", o.activePort)
	}
	for _, n := range o.fxp {
		fmt.Fprintf(w, "FXP            with %s\n", n)
	}
	for _, n := range o.proxies {
		fmt.Fprintf(w, "Trusts         PROXY headers from %s\n", n)
	}
}

// countFree returns how many ports of a range nobody listens on.
func countFree(r server.PortRange) int {
	free := 0
	for port := int(r.Lo); port <= int(r.Hi); port++ {
		if l, err := stdnet.ListenTCP("tcp", &stdnet.TCPAddr{Port: port}); err == nil {
			l.Close()
			free++
		}
	}
	return free
}

// tellPublic tells which addresses PASV tells of, and returns an error for those
// that are not known.
func tellPublic(o *options, w io.Writer) error {
	var bad error
	tell := func(whom, host string) {
		if host == "" {
			fmt.Fprintf(w, "PASV tells     the address the client connects to%s\n", whom)
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), checkPatience)
		defer cancel()
		ips, err := stdnet.DefaultResolver.LookupNetIP(ctx, "ip4", host)
		if err != nil {
			bad = errors.Join(bad, fmt.Errorf("public host: %w", err))
			return
		}
		fmt.Fprintf(w, "PASV tells     %s%s", ips[0].Unmap(), whom)
		if _, err := netip.ParseAddr(host); err != nil {
			fmt.Fprintf(w, ", as long as that is %s's", host)
		}
		fmt.Fprintln(w)
	}
	for _, n := range o.publicNetworks {
		if n.Local.IsValid() {
			tell(fmt.Sprintf(", if the client connects to %s", n.Local), n.Host)
		} else {
			tell(fmt.Sprintf(", if the client is of %s", n.Clients), n.Host)
		}
	}
	tell("", o.publicHost)
	return bad
}

// tryOut logs in and takes a listing by EPSV, and by PASV over IPv4.
func tryOut(at netip.AddrPort, user, password string, w io.Writer) error {
	conn, err := stdnet.DialTimeout("tcp", at.String(), checkPatience)
	if err != nil {
		return err
	}
	_ = conn.SetDeadline(time.Now().Add(4 * checkPatience)) // the next read tells if it fails
	c := textproto.NewConn(conn)
	defer c.Close()
	if _, _, err := c.ReadResponse(220); err != nil {
		return err
	}
	for _, step := range []struct {
		code int
		line string
	}{{331, "USER " + user}, {230, "PASS " + password}} {
		if _, err := ask(c, step.code, step.line); err != nil {
			return err
		}
	}
	text, err := ask(c, 229, "EPSV")
	if err != nil {
		return fmt.Errorf("EPSV: %w", err)
	}
	port, err := ftp.Parse229(text)
	if err == nil {
		err = listBy(c, netip.AddrPortFrom(at.Addr(), port))
	}
	if err != nil {
		return fmt.Errorf("EPSV: %w", err)
	}
	fmt.Fprintf(w, "EPSV           works at %s, by port %d\n", at.Addr(), port)
	if !at.Addr().Is4() {
		return nil
	}
	text, err = ask(c, 227, "PASV")
	if err != nil {
		return fmt.Errorf("PASV: %w", err)
	}
	told, err := ftp.Parse227(text)
	if err == nil {
		// The address may be one that only others reach.
		err = listBy(c, netip.AddrPortFrom(at.Addr(), told.Port()))
	}
	if err != nil {
		return fmt.Errorf("PASV: %w", err)
	}
	fmt.Fprintf(w, "PASV           works, by port %d; this machine is told %s\n", told.Port(), told.Addr())
	return nil
}

// ask sends a line and returns the text of the reply, which must have the code.
func ask(c *textproto.Conn, code int, line string) (string, error) {
	if err := c.PrintfLine("%s", line); err != nil {
		return "", err
	}
	_, text, err := c.ReadResponse(code)
	return text, err
}

// listBy takes a listing by a passive port.
func listBy(c *textproto.Conn, at netip.AddrPort) error {
	d, err := stdnet.DialTimeout("tcp", at.String(), checkPatience)
	if err != nil {
		return err
	}
	defer d.Close()
	_ = d.SetDeadline(time.Now().Add(checkPatience)) // the read tells if it fails
	if _, err := ask(c, 150, "LIST"); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, d); err != nil {
		return err
	}
	_, _, err = c.ReadResponse(226)
	return err
}
