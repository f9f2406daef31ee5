package interop

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCurlOverTLS: explicit TLS, with the reuse of sessions required, which curl
// does in TLS 1.3. In TLS 1.2 it wants the kind of sessions that servers remember,
// which crypto/tls has not.
func TestCurlOverTLS(t *testing.T) {
	curl := peer(t, "curl")
	onEngines(t, func(t *testing.T, engine string) {
		dir := t.TempDir()
		local := filepath.Join(dir, "local")
		hash, err := randomFile(local, 3<<20+17)
		if err != nil {
			t.Fatal(err)
		}
		for reuse, version := range map[string][]string{"require": {"--tlsv1.3"}, "log": {"--tls-max", "1.2"}} {
			s := start(t, engine, 1, "-tls-self-signed", "-tls-required", "-tls-reuse", reuse)
			do := func(args ...string) string {
				t.Helper()
				return mustRun(t, dir, curl, slices.Concat([]string{"-sS", "--ssl-reqd", "--insecure"}, version, args)...)
			}
			do("-T", local, s.url(0, "up"))
			wantFile(t, filepath.Join(s.home(0), "up"), hash)
			// Several transfers of one session: more than there are tickets to begin with.
			do("-o", "a", s.url(0, "up"), "-o", "b", s.url(0, "up"), "-o", "c", s.url(0, "up"), "-o", "d", s.url(0, "up"),
				"-o", "e", s.url(0, "up"), "-o", "f", s.url(0, "up"))
			for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
				wantFile(t, filepath.Join(dir, name), hash)
			}
			if list := do(s.url(0, "")); !strings.Contains(list, " up") {
				t.Errorf("list:\n%s", list)
			}
			if _, err := run(dir, curl, "-sS", s.url(0, "up")); err == nil {
				t.Error("curl gets a file in clear")
			}
		}
	})
}

// TestCurlCCC: curl logs in over TLS, takes the control connection back to clear, by its
// own close_notify or after ours, and transfers secured files.
func TestCurlCCC(t *testing.T) {
	curl := peer(t, "curl")
	onEngines(t, func(t *testing.T, engine string) {
		s := start(t, engine, 1, "-tls-self-signed", "-tls-required", "-tls-ccc")
		dir := t.TempDir()
		local := filepath.Join(dir, "local")
		hash, err := randomFile(local, 100_003)
		if err != nil {
			t.Fatal(err)
		}
		for _, mode := range []string{"active", "passive"} {
			ccc := []string{"-sS", "--ssl-reqd", "--insecure", "--ftp-ssl-ccc", "--ftp-ssl-ccc-mode", mode}
			mustRun(t, dir, curl, append(ccc, "-T", local, s.url(0, mode))...)
			wantFile(t, filepath.Join(s.home(0), mode), hash)
			mustRun(t, dir, curl, append(ccc, "-o", "a", s.url(0, mode), "-o", "b", s.url(0, mode))...)
			wantFile(t, filepath.Join(dir, "a"), hash)
			wantFile(t, filepath.Join(dir, "b"), hash)
		}
	})
}

// TestLftpOverTLS mirrors both ways.
func TestLftpOverTLS(t *testing.T) {
	lftp := peer(t, "lftp")
	onEngines(t, func(t *testing.T, engine string) {
		s := start(t, engine, 1, "-tls-self-signed", "-tls-required")
		dir := t.TempDir()
		local := filepath.Join(dir, "file")
		hash, err := randomFile(local, 1_000_003)
		if err != nil {
			t.Fatal(err)
		}
		script := strings.Join([]string{
			"set cmd:fail-exit yes",
			"set net:max-retries 1",
			"set ssl:verify-certificate no",
			"set ftp:ssl-force yes",
			"set ftp:ssl-protect-data yes",
			"set ftp:ssl-protect-list yes",
			"put file -o up",
			"get up -o down",
			"cls -1 > names.out",
			"mv up moved",
			"rm moved",
			"bye",
		}, "; ")
		mustRun(t, dir, lftp, "-c", "open "+strings.TrimSuffix(s.url(0, ""), "/")+"; "+script)
		wantFile(t, filepath.Join(dir, "down"), hash)
	})
}

// TestPythonOverTLS is the session of TestPython by FTP_TLS.
func TestPythonOverTLS(t *testing.T) {
	python := peer(t, "python3")
	script, err := filepath.Abs("testdata/session.py")
	if err != nil {
		t.Fatal(err)
	}
	onEngines(t, func(t *testing.T, engine string) {
		s := start(t, engine, 1, "-tls-self-signed", "-tls-required")
		host, port, _ := strings.Cut(s.addr, ":")
		mustRun(t, t.TempDir(), python, script, host, port, "user0", password, "tls")
	})
}
