package server

import (
	"strings"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/storage"
)

// A Host is a virtual host (HOST, RFC 7151): what it has takes the place of the
// field of Config of that name.
type Host struct {
	Auth     auth.Authenticator
	Root     storage.FS
	RootFor  func(*auth.Identity) (storage.FS, error)
	Greeting string
}

// cmdHOST chooses a virtual host, before USER. A server that has none is all hosts.
func (s *session) cmdHOST(arg string) (reply, error) {
	if s.hasUser || s.login.identity != nil {
		return reply{}, errHostTooLate
	}
	name, err := ftp.ParseHost(arg)
	if err != nil {
		return reply{}, err
	}
	var host *Host
	if len(s.cfg.Hosts) > 0 {
		var ok bool
		if host, ok = s.cfg.Hosts[name]; !ok {
			return reply{}, errUnknownHost
		}
	}
	s.host = host
	return answer(ftp.CodeReady, s.greeting()), nil
}

func (s *session) greeting() string {
	if s.host != nil && s.host.Greeting != "" {
		return s.host.Greeting
	}
	return s.cfg.Greeting
}

// hosted returns the server's configuration for the host of the session.
func (s *session) hosted() Config {
	c := *s.cfg
	if s.host == nil {
		return c
	}
	if s.host.Auth != nil {
		c.Auth = s.host.Auth
	}
	if s.host.Root != nil || s.host.RootFor != nil {
		c.Root, c.RootFor = s.host.Root, s.host.RootFor
	}
	return c
}

// checkHosts is a part of Config's check.
func checkHosts(hosts map[string]*Host) error {
	for name, host := range hosts {
		if clean, err := ftp.ParseHost(name); err != nil || clean != name || host == nil {
			return &ConfigError{"Hosts", "want host names in lower case, without a last point, not " + strings.ToValidUTF8(name, "?")}
		}
	}
	return nil
}
