package main

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// A chart shows one figure of all models as bars.
type chart struct {
	title  string
	format string
	names  []string
	values []float64
}

// chartsOf are the charts that have something to show.
func chartsOf(results []result) []chart {
	charts := []chart{
		{title: "messages per second", format: "%.0f"},
		{title: "CPU µs per message", format: "%.1f"},
		{title: "system calls per message", format: "%.2f"},
	}
	for _, r := range results {
		if r.err != nil {
			continue
		}
		for i, v := range []float64{r.rate(), r.cpu(), r.calls} {
			if v >= 0 {
				charts[i].names = append(charts[i].names, r.name)
				charts[i].values = append(charts[i].values, v)
			}
		}
	}
	var shown []chart
	for _, c := range charts {
		if len(c.values) > 0 {
			shown = append(shown, c)
		}
	}
	return shown
}

// share is how long a bar is, at most 1.
func (c chart) share(i int) float64 {
	longest := 0.0
	for _, v := range c.values {
		longest = max(longest, v)
	}
	if longest == 0 {
		return 0
	}
	return c.values[i] / longest
}

// writeBars writes charts as text.
func writeBars(out io.Writer, charts []chart) {
	const width = 50
	for _, c := range charts {
		fmt.Fprintln(out, c.title)
		for i, name := range c.names {
			bar := strings.Repeat("█", int(width*c.share(i)+0.5))
			fmt.Fprintf(out, "  %-10s %-*s "+c.format+"\n", name, width, bar, c.values[i])
		}
		fmt.Fprintln(out)
	}
}

// drawSVG draws charts below each other.
func drawSVG(charts []chart) string {
	const left, width, right, line, gap = 100, 420, 90, 20, 44
	colors := []string{"#4878a8", "#a85048", "#58883c"}
	var b strings.Builder
	y := 0
	for n, c := range charts {
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">%s</text>\n", left, y+gap-14, html.EscapeString(c.title))
		y += gap
		for i, name := range c.names {
			long := width * c.share(i)
			fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", left-8, y+14, html.EscapeString(name))
			fmt.Fprintf(&b, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n", left, y+2, long, line-4, colors[n%len(colors)])
			fmt.Fprintf(&b, "<text x=\"%.1f\" y=\"%d\">"+c.format+"</text>\n", left+long+6, y+14, c.values[i])
			y += line
		}
	}
	const all = left + width + right
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" font-family=\"sans-serif\" font-size=\"13\">\n"+
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n%s</svg>\n", all, y+16, all, b.String())
}
