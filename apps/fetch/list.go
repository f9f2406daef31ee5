package main

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
)

// list returns the URLs of the command line and of a file. In the file empty lines,
// and those that begin with "#", do not count.
func list(from string, stdin io.Reader, urls []string) ([]string, error) {
	if from != "" {
		in := stdin
		if from != "-" {
			f, err := os.Open(from)
			if err != nil {
				return nil, err
			}
			defer f.Close()
			in = f
		}
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
				urls = append(urls, line)
			}
		}
		if err := lines.Err(); err != nil {
			return nil, err
		}
	}
	for i, u := range urls {
		if !strings.Contains(u, "://") {
			urls[i] = "http://" + u
		}
		if parsed, err := url.Parse(urls[i]); err != nil || parsed.Host == "" {
			return nil, fmt.Errorf("%q is no URL", u)
		}
	}
	return urls, nil
}
