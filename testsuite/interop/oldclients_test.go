package interop

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNcftp: the programs of ncftp for one job each: put, list, get, resume.
func TestNcftp(t *testing.T) {
	put, get, ls := peer(t, "ncftpput"), peer(t, "ncftpget"), peer(t, "ncftpls")
	onEngines(t, func(t *testing.T, engine string) {
		s := start(t, engine, 1)
		host, port, _ := strings.Cut(s.addr, ":")
		dir := t.TempDir()
		hash, err := randomFile(filepath.Join(dir, "local file"), 1_000_003)
		if err != nil {
			t.Fatal(err)
		}
		access := []string{"-u", "user0", "-p", password, "-P", port}
		mustRun(t, dir, put, append(access, "-V", "-m", host, "/up/here", "local file")...)
		wantFile(t, filepath.Join(s.home(0), "up/here/local file"), hash)
		if list := mustRun(t, dir, ls, append(access, "-l", "ftp://"+host+"/up/here/")...); !strings.Contains(list, "local file") {
			t.Errorf("list:\n%s", list)
		}
		if err := os.Rename(filepath.Join(dir, "local file"), filepath.Join(dir, "original")); err != nil {
			t.Fatal(err)
		}
		mustRun(t, dir, get, append(access, "-V", host, ".", "/up/here/local file")...)
		wantFile(t, filepath.Join(dir, "local file"), hash)
		data, err := os.ReadFile(filepath.Join(dir, "local file"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "local file"), data[:1000], 0o600); err != nil {
			t.Fatal(err)
		}
		mustRun(t, dir, get, append(access, "-V", "-z", host, ".", "/up/here/local file")...) // resumed
		wantFile(t, filepath.Join(dir, "local file"), hash)
		mustRun(t, dir, get, append(access, "-V", "-R", host, ".", "/up")...)
		wantFile(t, filepath.Join(dir, "up/here/local file"), hash)
		// -DD deletes the local file after it was sent; -A appends.
		mustRun(t, dir, put, append(access, "-V", "-DD", host, "/", "original")...)
		wantFile(t, filepath.Join(s.home(0), "original"), hash)
		if _, err := os.Stat(filepath.Join(dir, "original")); !os.IsNotExist(err) {
			t.Errorf("after -DD: %v", err)
		}
	})
}

// TestTnftp: the BSD client, by its commands, in both modes of data connections.
func TestTnftp(t *testing.T) {
	tnftp := peer(t, "tnftp")
	onEngines(t, func(t *testing.T, engine string) {
		s := start(t, engine, 1)
		host, port, _ := strings.Cut(s.addr, ":")
		dir := t.TempDir()
		hash, err := randomFile(filepath.Join(dir, "local"), 1_000_003)
		if err != nil {
			t.Fatal(err)
		}
		script := strings.Join([]string{
			"open " + host + " " + port,
			`user user0 "` + password + `"`,
			"binary",
			"put local up",
			"get up down",
			"reget up part",
			"size up",
			"modtime up",
			"mkdir sub",
			"rename up sub/moved",
			"cd sub",
			"ls -l",
			"mls . listing",
			"epsv4 off",
			"get moved passive",
			"passive off",
			"get moved active",
			"restart 1000000",
			"delete moved",
			"cdup",
			"rmdir sub",
			"features",
			"bye",
		}, "\n") + "\n"
		data, err := os.ReadFile(filepath.Join(dir, "local"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "part"), data[:1000], 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(tnftp, "-n", "-i", "-v")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+dir, "LC_ALL=C.UTF-8")
		cmd.Stdin = strings.NewReader(script)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		_ = cmd.Wait() // its status is that of the last command; what counts is below
		for _, name := range []string{"down", "part", "passive", "active"} {
			wantFile(t, filepath.Join(dir, name), hash)
		}
		if left, err := os.ReadDir(s.home(0)); err != nil || len(left) > 0 {
			t.Errorf("left on the server: %v, %v", left, err)
		}
		for _, text := range []string{"1000003", "HASH"} {
			if !strings.Contains(out.String(), text) {
				t.Errorf("no %s in the output", text)
			}
		}
		if t.Failed() {
			t.Log(out.String())
		}
	})
}
