package server_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// TestHOST: a client that names a virtual host is on that, with its users and files.
func TestHOST(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		other, err := auth.NewSingle(auth.Identity{Name: "bob", Home: "/", Perms: auth.ReadWrite}, "pass")
		if err != nil {
			t.Fatal(err)
		}
		f := start(t, e, func(cfg *server.Config) {
			cfg.Hosts = map[string]*server.Host{
				"other.example": {Auth: other, Root: storage.NewMem(), Greeting: "The other host."},
				"same.example":  {},
			}
		})
		f.write("f", "x")
		c := f.dial()
		if text := c.cmd(211, "FEAT").Text(); !strings.Contains(text, "HOST") { // C238
			t.Errorf("FEAT: %s", text)
		}
		c.expectText(220, "HOST Other.Example.", "The other host.") // C232
		c.steps([]step{
			{331, "USER bob", ""},
			{503, "HOST same.example", "C234"},
			{230, "PASS pass", ""},
			{550, "MDTM f", ""},
			{503, "HOST same.example", "C234"},
			{220, "REIN", ""},
			{504, "HOST unknown.example", "C233"},
			{501, "HOST", "C235"},
			{501, "HOST [::1", "C235"},
			{501, "HOST a/b", "C235"},
			{504, "HOST [::1]", "C236"},
			{504, "HOST 127.0.0.1", "C233"},
			{220, "HOST same.example", ""},
			{331, "USER " + testUser, ""},
			{230, "PASS " + testPassword, ""},
			{213, "MDTM f", ""},
		})
		f = start(t, e)
		f.dial().steps([]step{{220, "HOST any.example", "C232"}, {220, "HOST [::1]", "C236"}, {501, "HOST [x", "C235"}})

		_, err = server.New(server.Config{Auth: other, Root: storage.NewMem(), Hosts: map[string]*server.Host{"Upper": {}}})
		var bad *server.ConfigError
		if !errors.As(err, &bad) || bad.Field != "Hosts" {
			t.Errorf("a bad name: %v", err)
		}
	})
}

// TestLanguage: C181, C182, and what else is little: C017, C278.
func TestLanguage(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.login().steps([]step{
			{200, "LANG", "C181"},
			{200, "LANG en", "C182"},
			{200, "LANG en-US", "C182"},
			{504, "LANG tlh", "C182"},
			{502, "SMNT x", "C017"},
			{200, "CSID Name=test; Version=1;", "C278"},
			{502, "DSIZ", "C278"},
			{502, "RMDA d", "C278"},
			{502, "THMB f", "C278"},
		})
	})
}
