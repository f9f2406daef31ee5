package guide

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	stdnet "net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	// What the programs import, beside the guide's: see there.
	_ "github.com/weft-go/weft/ftp/server"
	_ "github.com/weft-go/weft/runtime/greenlet"
	_ "github.com/weft-go/weft/runtime/process"
)

const tutorial = "docs/tutorial.md"

// A step is a ```sh block of the tutorial, and the ```text block after it.
type step struct {
	line   int
	script string
	output string
	like   likeness
}

// A likeness says how much of the output is the same each time. It is part of the fence of
// its block, where readers do not see it.
type likeness string

const (
	exact   likeness = "text"
	numbers likeness = "text numbers" // but for the numbers
	sample  likeness = "text sample"  // the first words of lines, in this order, and not of all lines
)

// fits reports whether what a step has printed is what the document has.
func (l likeness) fits(got, doc string) bool {
	if l != exact {
		got, doc = number.ReplaceAllString(got, "N"), number.ReplaceAllString(doc, "N")
	}
	if l != sample {
		return got == doc
	}
	lines := strings.Split(got, "\n")
	for want := range strings.Lines(doc) {
		at := slices.IndexFunc(lines, func(line string) bool { return firstWord(line) == firstWord(want) })
		if at < 0 {
			return false
		}
		lines = lines[at+1:]
	}
	return true
}

func firstWord(line string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return word
}

// steps returns the steps of a Markdown text. Each sh block has an output.
func steps(text string) ([]step, error) {
	all, err := blocks(text)
	if err != nil {
		return nil, err
	}
	var found []step
	for i, b := range all {
		if b.info != "sh" {
			continue
		}
		if i+1 == len(all) {
			return nil, fmt.Errorf("line %d: no output follows", b.line)
		}
		out := all[i+1]
		s := step{b.line, b.text, out.text, likeness(out.info)}
		if s.like != exact && s.like != numbers && s.like != sample {
			return nil, fmt.Errorf("line %d: no such output: %s", out.line, out.info)
		}
		found = append(found, s)
	}
	return found, nil
}

func tutorialSteps(t *testing.T) []step {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, tutorial))
	if err != nil {
		t.Fatal(err)
	}
	found, err := steps(string(text))
	if err != nil {
		t.Fatalf("%s: %v", tutorial, err)
	}
	if len(found) < 10 {
		t.Fatalf("%s: found %d steps", tutorial, len(found))
	}
	return found
}

var (
	// goRun and goBuild are the commands of the tutorial that build a program, for which the
	// test has them built before.
	goRun   = regexp.MustCompile(`(?m)go run \./apps/(\S+)`)
	goBuild = regexp.MustCompile(`(?m)^go build -o (\S+) \./apps/(\S+)$`)
	number  = regexp.MustCompile(`\d+`)
)

// programs returns the programs below apps that a step runs.
func (s step) programs() []string {
	var found []string
	for _, m := range goRun.FindAllStringSubmatch(s.script, -1) {
		found = append(found, m[1])
	}
	for _, m := range goBuild.FindAllStringSubmatch(s.script, -1) {
		found = append(found, m[2])
	}
	return found
}

// TestTutorial runs the commands of the tutorial as they stand there, but for the port.
func TestTutorial(t *testing.T) {
	all := tutorialSteps(t)
	bin := t.TempDir()
	if err := buildApps(bin, all); err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		t.Run(fmt.Sprintf("line%d", s.line), func(t *testing.T) {
			if strings.Contains(s.script, "curl") {
				requireCurl(t)
			}
			got, log, err := s.run(t, bin)
			if err != nil || !s.like.fits(got, s.output) {
				t.Errorf("%v\ngot:\n%s\nthe document has:\n%s\nstandard error:\n%s", err, got, s.output, log)
			}
		})
	}
}

// TestTutorialIsComplete: the tutorial leads through each of its programs.
func TestTutorialIsComplete(t *testing.T) {
	var run []string
	for _, s := range tutorialSteps(t) {
		run = append(run, s.programs()...)
	}
	all, err := filepath.Glob(filepath.Join(root, "apps/tutorial/*/main.go"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no programs: %v", err)
	}
	for _, path := range all {
		if name := "tutorial/" + filepath.Base(filepath.Dir(path)); !slices.Contains(run, name) {
			t.Errorf("%s is not in the tutorial", name)
		}
	}
}

// buildApps builds all programs of the steps, by one go command.
func buildApps(bin string, all []step) error {
	args := []string{"build", "-o", bin + string(filepath.Separator)}
	for _, s := range all {
		for _, name := range s.programs() {
			args = append(args, "./apps/"+name)
			// Read, a source ends what go test has cached when it changes.
			if _, err := os.ReadFile(filepath.Join(root, "apps", name, "main.go")); err != nil {
				return err
			}
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// run runs the script of a step in a new directory, by a shell that stops at the first
// command that fails.
func (s step) run(t *testing.T, bin string) (stdout, stderr string, err error) {
	script := goRun.ReplaceAllStringFunc(s.script, func(m string) string {
		return filepath.Join(bin, filepath.Base(goRun.FindStringSubmatch(m)[1]))
	})
	script = goBuild.ReplaceAllStringFunc(script, func(m string) string {
		parts := goBuild.FindStringSubmatch(m)
		return fmt.Sprintf("cp %s %s", filepath.Join(bin, filepath.Base(parts[2])), parts[1])
	})
	if strings.Contains(script, ftpAddress) {
		script = strings.ReplaceAll(script, ftpAddress, freeAddress(t))
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), limit, errors.New("it does not end"))
	defer cancel()
	var out, log bytes.Buffer
	cmd := exec.CommandContext(ctx, "sh", "-e", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Stdout, cmd.Stderr = &out, &log
	err = cmd.Run()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return out.String(), log.String(), err
}

// ftpAddress is where the tutorial's ftpd listens. The test takes another port, so that
// several can run at a time.
const ftpAddress = "127.0.0.1:2121"

// freeAddress returns an address that nobody listens on, and that the system gives to nobody
// who asks for any.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := stdnet.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no free port")
	return ""
}

func requireCurl(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err == nil {
		return
	}
	if os.Getenv("WEFT_REQUIRE_PEERS") == "1" {
		t.Fatal("curl is missing and WEFT_REQUIRE_PEERS=1")
	}
	t.Skip("SKIP: curl IS NOT INSTALLED")
}

// TestSteps shows what a step is.
func TestSteps(t *testing.T) {
	got, err := steps("```sh\ngo run ./apps/x -v\n```\nwords\n```text numbers\n1\n```\n```go\nx\n```\n```sh\ngo build -o y ./apps/z\n./y\n```\n```text\n2\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []step{
		{1, "go run ./apps/x -v\n", "1\n", numbers},
		{11, "go build -o y ./apps/z\n./y\n", "2\n", exact},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if p := got[0].programs(); !slices.Equal(p, []string{"x"}) {
		t.Errorf("programs %q", p)
	}
	if p := got[1].programs(); !slices.Equal(p, []string{"z"}) {
		t.Errorf("programs %q", p)
	}
	if _, err := steps("```sh\nx\n```\n```go\n```\n"); err == nil {
		t.Error("a step without an output is no error")
	}
	for _, tc := range []struct {
		like     likeness
		got, doc string
		fits     bool
	}{
		{exact, "a 1\n", "a 1\n", true},
		{exact, "a 1\n", "a 2\n", false},
		{numbers, "a 1\n", "a 23\n", true},
		{numbers, "a 1\n", "b 1\n", false},
		{sample, "in 1 s\n\n a x\nnew\n b y\nend\n", "in 2 h\n\n a z\n b\n", true},
		{sample, "b\na\n", "a\nb\n", false},
	} {
		if tc.like.fits(tc.got, tc.doc) != tc.fits {
			t.Errorf("%+v", tc)
		}
	}
}
