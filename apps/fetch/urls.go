package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
)

// maxList bounds the list of URLs, in bytes.
const maxList = 64 << 20

// readURLs returns the URLs that are given as arguments, and those of a list: a file with
// one in each line, "-" for stdin. Blank lines and such that begin with # don't count. A URL
// without a scheme gets "http".
func readURLs(args []string, list string, stdin io.Reader) ([]string, error) {
	var urls []string
	for _, arg := range args {
		u, err := parseURL(arg)
		if err != nil {
			return nil, err
		}
		urls = append(urls, u)
	}
	lines, err := readList(list, stdin)
	if err != nil {
		return nil, err
	}
	for i, line := range lines {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		u, err := parseURL(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", list, i+1, err)
		}
		urls = append(urls, u)
	}
	if len(urls) == 0 {
		return nil, errors.New("no URL is given; -h tells how")
	}
	return urls, nil
}

func readList(name string, stdin io.Reader) ([]string, error) {
	switch name {
	case "":
		return nil, nil
	case "-":
	default:
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		stdin = f
	}
	text, err := io.ReadAll(io.LimitReader(stdin, maxList+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxList:
		return nil, fmt.Errorf("%s: longer than %d bytes", name, maxList)
	}
	return strings.Split(string(text), "\n"), nil
}

func parseURL(text string) (string, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", err
	case u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("%s: only http and https are known", u.Redacted())
	case u.Hostname() == "":
		return "", fmt.Errorf("%s: no host", u.Redacted())
	}
	return u.String(), nil
}
