package net_test

import (
	"fmt"
	"os"
	"testing"

	stdnet "net"
)

// hasIPv6 reports whether the loopback interface has IPv6.
func hasIPv6() bool {
	l, err := stdnet.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}

// TestAddresses listens on addresses of each form, dials each that can be, and
// tells all addresses that are seen.
func TestAddresses(t *testing.T) {
	type row struct{ network, address, dialed string } // dialed: a host, "" for the listener's
	rows := []row{
		{"tcp", "127.0.0.1:0", ""},
		{"tcp4", "127.0.0.1:0", ""},
		{"tcp4", ":0", "127.0.0.1"},
		{"tcp4", "0.0.0.0:0", "127.0.0.1"},
		{"tcp", "0.0.0.0:0", "127.0.0.1"},
		{"tcp", ":0", "127.0.0.1"},
		{"tcp", ":0", "localhost"},
		{"tcp", "", "127.0.0.1"},
		{"tcp", "127.0.0.1:", ""},
		{"tcp", "[::ffff:127.0.0.1]:0", "127.0.0.1"},
		{"tcp", "localhost:0", ""},
	}
	if hasIPv6() {
		rows = append(rows,
			row{"tcp", "[::1]:0", ""},
			row{"tcp6", "[::1]:0", ""},
			row{"tcp6", ":0", "::1"},
			row{"tcp6", "[::]:0", "::1"},
			row{"tcp", ":0", "::1"},
			row{"tcp", "0.0.0.0:0", "::1"},
			row{"tcp", "[::]:0", "127.0.0.1"},
			row{"tcp", "[::]:0", "::1"},
		)
	} else {
		t.Log("no IPv6")
	}
	same(t, func(t *testing.T, n implementation) (told []string) {
		for _, r := range rows {
			l, err := n.Listen(r.network, r.address)
			if err != nil {
				told = append(told, tell(fmt.Sprint("listen ", r), err))
				continue
			}
			told = append(told, tell(fmt.Sprint("listen ", r), l.Addr()))
			target := l.Addr().String()
			if r.dialed != "" {
				_, port, _ := stdnet.SplitHostPort(target)
				target = stdnet.JoinHostPort(r.dialed, port)
			}
			told = append(told, meet(t, n, l, r.network, target)...)
		}
		return told
	})
}

// meet dials target, where l listens, and tells the addresses of both ends.
func meet(t *testing.T, n implementation, l stdnet.Listener, network, target string) (told []string) {
	t.Helper()
	defer l.Close()
	a, err := n.Dial(network, target)
	if err != nil {
		return []string{tell("dial "+target, err)}
	}
	defer a.Close()
	b, err := l.Accept()
	if err != nil {
		return []string{tell("accept", err)}
	}
	defer b.Close()
	for _, pair := range [][2]stdnet.Addr{
		{a.LocalAddr(), b.RemoteAddr()},
		{a.RemoteAddr(), b.LocalAddr()},
	} {
		told = append(told, tell("addresses", pair[0], pair[1]))
		if network != "unix" && pair[0].String() != pair[1].String() {
			t.Errorf("one end says %v, the other %v", pair[0], pair[1])
		}
	}
	if fmt.Sprintf("%T %T", a, b) == "" {
		t.Error("no types")
	}
	return told
}

// TestUnixAddresses is the same for unix sockets, named, abstract, and bound on
// the dialing side.
func TestUnixAddresses(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		dir := shortTempDir(t)
		for _, c := range []struct{ server, client string }{
			{dir + "/s", ""},
			{dir + "/s2", dir + "/c"},
			{fmt.Sprintf("@weft test %d %s", os.Getpid(), n.name), ""},
		} {
			l, err := n.Listen("unix", c.server)
			if err != nil {
				t.Fatal(err)
			}
			if c.server[0] == '@' {
				if l.Addr().String() != c.server {
					t.Errorf("address %q", l.Addr())
				}
			} else {
				told = append(told, tell("listen", l.Addr()))
			}
			d := dialer{}
			if c.client != "" {
				d.local = &stdnet.UnixAddr{Name: c.client, Net: "unix"}
			}
			a, err := n.dial(t.Context(), d, "unix", c.server)
			if err != nil {
				t.Fatal(err)
			}
			b, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if c.server[0] != '@' {
				told = append(told, tell("dialed", a.LocalAddr(), a.RemoteAddr()), tell("accepted", b.LocalAddr(), b.RemoteAddr()))
			}
			for _, c := range []interface{ Close() error }{a, b, l} {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
		}
		return told
	})
}
