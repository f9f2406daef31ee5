package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/weft-go/weft/runtime"
	"golang.org/x/sys/unix"
)

// Progress tells what has been done: a line for each page, and a bar on a terminal.
type Progress struct {
	Out   io.Writer // for the lines
	Bar   io.Writer // for the bar; nil: none
	Width int       // of the terminal
	Total int

	began        time.Time
	done, failed int
	bytes        *int64
	sum          time.Duration // of the times of all pages
}

// interval is how often the bar is drawn.
const interval = 100 * time.Millisecond

// Start begins to count the time, and draws the bar in a task until the result is
// called. bytes is how much has come so far.
func (p *Progress) Start(bytes *int64) (stop func()) {
	p.began, p.bytes = time.Now(), bytes
	if p.Bar == nil {
		return func() {}
	}
	task := runtime.Spawn(func() {
		for {
			p.write(p.Bar, "\r"+p.bar()+"\x1b[K")
			runtime.Sleep(interval)
		}
	})
	return func() {
		_ = task.KillWait(nil, 0)
		p.write(p.Bar, "\r\x1b[K")
	}
}

// write writes on a goroutine: a terminal or pipe may block.
func (p *Progress) write(w io.Writer, text string) {
	_ = runtime.OffloadShielded(func() { _, _ = io.WriteString(w, text) })
}

// Done reports a page.
func (p *Progress) Done(page *Page) {
	p.done++
	p.sum += page.Took
	line := fmt.Sprintf("%d %8s %6s  %s", page.Status, size(page.Bytes), short(page.Took), page.URL)
	if page.Err != nil {
		p.failed++
		line = fmt.Sprintf("FAILED          %6s  %s: %v", short(page.Took), page.URL, page.Err)
	}
	if page.Attempts > 1 {
		line += fmt.Sprintf(" (%d attempts)", page.Attempts)
	}
	if page.File != "" && page.Err == nil {
		line += " -> " + page.File
	}
	if p.Bar != nil {
		p.write(p.Bar, "\r\x1b[K") // the line comes in the bar's place
	}
	p.write(p.Out, printable(line)+"\n")
}

// printable makes what a server or a URL says harmless for a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, text)
}

// bar returns the bar, no wider than the terminal.
func (p *Progress) bar() string {
	text := fmt.Sprintf(" %d/%d, %s, %s", p.done, p.Total, size(*p.bytes), short(time.Since(p.began)))
	if p.failed > 0 {
		text += fmt.Sprintf(", %d failed", p.failed)
	}
	room := min(p.Width-len(text)-3, 40)
	if room < 5 {
		return text[1:min(len(text), max(p.Width, 1))]
	}
	full := room * p.done / max(p.Total, 1)
	return "[" + strings.Repeat("=", full) + strings.Repeat(" ", room-full) + "]" + text
}

// Summary prints the end.
func (p *Progress) Summary(serial bool) {
	took := time.Since(p.began)
	text := fmt.Sprintf("%d of %d fetched, %s in %s", p.done-p.failed, p.Total, size(*p.bytes), short(took))
	if p.failed > 0 {
		text += fmt.Sprintf(", %d failed", p.failed)
	}
	if serial {
		text += ", one after the other"
	} else {
		text += fmt.Sprintf("; one after the other %s, %.1f times as long", short(p.sum), float64(p.sum)/float64(took))
	}
	fmt.Fprintln(p.Out, text)
}

func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}

func size(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d B", n)
	case n < 10_000_000:
		return fmt.Sprintf("%d kB", n/1000)
	}
	return fmt.Sprintf("%d MB", n/1_000_000)
}

// terminalWidth returns the width of f, 0 if that is no terminal.
func terminalWidth(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	if size.Col == 0 {
		return 80
	}
	return int(size.Col)
}
