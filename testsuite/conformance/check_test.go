package conformance

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
)

// A trial makes a check over the wire.
type trial struct {
	code   ftp.Code // the deciding reply, 0 where there is none, or run tells it
	run    func(*fixture)
	change []func(*server.Config)
}

// trials holds the trial of each check that has one here. Most have; those of TLS,
// and a few that are not about what is said on the wire, have their tests elsewhere.
var trials = map[string]*trial{}

func register(id string, t *trial) {
	if trials[id] != nil {
		panic("two trials of " + id)
	}
	trials[id] = t
}

// is makes a check by one command and its reply. Each of lines but the last is a
// command that comes before, with the code it must get in front: "350 RNFR a".
// The last is the command in question; without lines that is the check's own. The
// session begins as the check says.
func is(id string, code ftp.Code, lines ...string) {
	register(id, &trial{code: code, run: func(f *fixture) {
		c := f.begin()
		last := f.check.command
		if len(lines) > 0 {
			last = lines[len(lines)-1]
			for _, line := range lines[:len(lines)-1] {
				c.step(line)
			}
		}
		f.decide(c.cmd(code, last).Code)
		c.cmd(200, "NOOP") // whatever it was, the session is in step
	}})
}

// runs makes a check by a conversation with a server whose configuration change may
// alter.
func runs(id string, run func(*fixture), change ...func(*server.Config)) {
	register(id, &trial{run: run, change: change})
}

var (
	codePattern   = regexp.MustCompile(`\b[1-6][0-9][0-9]\b`)
	classPattern  = regexp.MustCompile(`\b([1-6])00-class\b`)
	choicePattern = regexp.MustCompile(`^([1-6][0-9][0-9])\b`)
)

// allows reports whether the check lists code among its answers. One that names no
// codes allows any.
func (c check) allows(code ftp.Code) bool {
	listed := codePattern.FindAllString(c.expected, -1)
	for _, s := range listed {
		if s == code.String() {
			return true
		}
	}
	for _, m := range classPattern.FindAllStringSubmatch(c.expected, -1) {
		if class, _ := strconv.Atoi(m[1]); int(code)/100 == class {
			return true
		}
	}
	return len(listed) == 0
}

func TestAllows(t *testing.T) {
	for _, tc := range []struct {
		expected string
		code     ftp.Code
		want     bool
	}{
		{"331 or 530", 530, true},
		{"200|202", 250, false},
		{"425|522|500-class, never bogus 0,0,0,0", 501, true},
		{"425|522|500-class, never bogus 0,0,0,0", 421, false},
		{"same as the plain verb", 257, true},
		{"250 \"/abs/d\"", 257, false},
	} {
		if got := (check{expected: tc.expected}).allows(tc.code); got != tc.want {
			t.Errorf("%q allows %v: %v", tc.expected, tc.code, got)
		}
	}
}

// TestWire makes each check that has a trial, on both engines: the reply that decides
// it must be one the table allows, and the one that choices.tsv names first.
func TestWire(t *testing.T) {
	all, _, chosen := load(t)
	known := map[string]bool{}
	for _, c := range all {
		known[c.id] = true
		tr := trials[c.id]
		if tr == nil {
			continue
		}
		t.Run(c.id, func(t *testing.T) {
			onEngines(t, func(t *testing.T, e server.Engine) {
				f := start(t, e, c, tr.change...)
				tr.run(f)
				if f.decided == 0 {
					return
				}
				if !c.allows(f.decided) {
					t.Errorf("answered %v, the check allows: %s", f.decided, c.expected)
				}
				if m := choicePattern.FindStringSubmatch(chosen[c.id]); m != nil && m[1] != f.decided.String() {
					t.Errorf("answered %v, choices.tsv says: %s", f.decided, chosen[c.id])
				}
			})
		})
	}
	for id := range trials {
		if !known[id] {
			t.Errorf("%s has a trial and is no check", id)
		}
	}
}

// Whatever is there and not about TLS has a trial here, but for what the wire does not
// show: C174 is about the time that unknown names take.
func TestEveryCheckHasATrial(t *testing.T) {
	all, _, chosen := load(t)
	for _, c := range all {
		tls := c.rfc == "2228" || strings.HasPrefix(c.rfc, "4217") || c.rfc == "CVE-2011-1575" || strings.Contains(c.before, "TLS")
		if trials[c.id] == nil && !tls && c.id != "C174" && !strings.HasPrefix(chosen[c.id], later) {
			t.Errorf("%s has no trial", c.id)
		}
	}
}
