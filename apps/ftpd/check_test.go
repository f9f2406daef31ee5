package main

import (
	"fmt"
	"math/rand/v2"
	stdnet "net"
	"os/exec"
	"strings"
	"testing"
)

// Complaint 13: -check tells what must be let through, and tries it.
func TestCheck(t *testing.T) {
	ports := freeRange(t, 4)
	for _, engine := range engineNames {
		for _, tc := range []struct {
			args []string
			want []string
			code int
		}{
			{nil, []string{"any; where a firewall", "the address the client connects to", "EPSV           works", "PASV           works", "All is well"}, 0},
			{
				[]string{"-passive-ports", ports, "-shared-ports", "-public-host", "192.0.2.1", "-public-host-for", "10.0.0.0/8="},
				[]string{
					ports + ", shared by all sessions; 4 of 4 are free", "-p " + ports + ":" + ports, "192.0.2.1\n",
					"the address the client connects to, if the client is of 10.0.0.0/8", "told 192.0.2.1\n", "All is well",
				}, 0,
			},
			{[]string{"-addr", ":0"}, []string{"EPSV           works at 127.0.0.1", "All is well"}, 0},
			{[]string{"-public-host", "nosuch.invalid"}, []string{"ftpd: public host: ", "EPSV           works"}, 1},
			{[]string{"-processes", "2"}, []string{"Processes      2", "All is well"}, 0},
			{[]string{"-processes", "2", "-quota", "1G"}, []string{"-processes: "}, 1},
			{[]string{"-passive-ports", "9-8"}, []string{`ports "9-8"`}, 1},
		} {
			args := append([]string{"-check", "-engine", engine, "-root", t.TempDir(), "-addr", "127.0.0.1:0"}, tc.args...)
			cmd := exec.Command(program, args...)
			out, _ := cmd.CombinedOutput() // the exit status tells
			for _, want := range tc.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("%q: no %q in\n%s", tc.args, want, out)
				}
			}
			if code := cmd.ProcessState.ExitCode(); code != tc.code {
				t.Errorf("%q: exit status %d\n%s", tc.args, code, out)
			}
		}
	}
}

// freeRange finds n free ports in a row, as LO-HI.
func freeRange(t *testing.T, n int) string {
	t.Helper()
next:
	for range 100 {
		// Below the ports that the system gives to whoever asks for any.
		lo := 10_000 + rand.IntN(20_000)
		for port := lo; port < lo+n; port++ {
			l, err := stdnet.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				continue next
			}
			l.Close()
		}
		return fmt.Sprintf("%d-%d", lo, lo+n-1)
	}
	t.Skip("SKIP: no free ports")
	return ""
}
