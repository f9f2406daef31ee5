package interop

import (
	"net/textproto"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestGivenUp: each client is interrupted in the middle of a download that would
// not end soon. Some send ABOR, some hang up; the server ends the transfer, and
// a session beside goes on.
func TestGivenUp(t *testing.T) {
	// The child of a program that ignores SIGINT ignores it, too.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)

	for _, client := range []struct {
		name string
		args func(s *ftpd) []string
	}{
		{"curl", func(s *ftpd) []string { return []string{"-sS", "-o", "endless", s.url(0, "endless")} }},
		{"wget", func(s *ftpd) []string { return []string{"-q", "-t", "1", s.url(0, "endless")} }},
		{"lftp", func(s *ftpd) []string { return []string{"-c", "get " + s.url(0, "endless")} }},
		{"ncftpget", func(s *ftpd) []string {
			host, port, _ := strings.Cut(s.addr, ":")
			return []string{"-V", "-r", "0", "-u", "user0", "-p", password, "-P", port, host, ".", "/endless"}
		}},
		{"tnftp", func(s *ftpd) []string { return []string{"-V", "-o", "endless", s.url(0, "endless")} }},
	} {
		t.Run(client.name, func(t *testing.T) {
			path := peer(t, client.name)
			onEngines(t, func(t *testing.T, engine string) {
				s := start(t, engine, 1)
				endless := filepath.Join(s.home(0), "endless")
				if err := os.WriteFile(endless, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(endless, 1<<40); err != nil {
					t.Skipf("no sparse files: %v", err)
				}
				beside, err := textproto.Dial("tcp", s.addr)
				if err != nil {
					t.Fatal(err)
				}
				defer beside.Close()
				if _, _, err := beside.ReadResponse(220); err != nil {
					t.Fatal(err)
				}
				dir := t.TempDir()
				cmd := exec.Command(path, client.args(s)...)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "HOME="+dir, "no_proxy=*")
				// The local file is on a disk with an end.
				soon := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
				defer soon.Stop()
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- cmd.Wait() }()
				poll := time.NewTicker(time.Millisecond)
				defer poll.Stop()
				for !grown(dir) {
					select {
					case err := <-ended:
						t.Fatalf("%s ended by itself: %v", client.name, err)
					case <-poll.C:
					}
				}
				_ = cmd.Process.Signal(os.Interrupt)
				<-ended
				if cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
					t.Fatalf("%s could not be interrupted", client.name)
				}
				for began := time.Now(); !strings.Contains(s.log.String(), `transfer="RETR /endless"`); {
					if time.Since(began) > limit {
						t.Fatal("the transfer goes on")
					}
					<-poll.C
				}
				if !strings.Contains(s.log.String(), "transfer failed") {
					t.Errorf("the log:\n%s", s.log.String())
				}
				if _, err := beside.Cmd("NOOP"); err != nil {
					t.Fatal(err)
				}
				if _, text, err := beside.ReadResponse(200); err != nil {
					t.Errorf("the session beside: %s %v", text, err)
				}
			})
		})
	}
}

// grown tells whether there is a file with something in it.
func grown(dir string) bool {
	list, _ := os.ReadDir(dir)
	for _, e := range list {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			return true
		}
	}
	return false
}
