package interop

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"time"
)

var epsvReply = regexp.MustCompile(`\(\|\|\|(\d+)\|\)`)

// fetchSlowly fetches a file over a connection of its own, with pauses, so that
// many of it are under way at once without taking the processors. It
// returns the number of bytes.
func fetchSlowly(addr, user, name, hash string) (int, error) {
	conn, err := net.DialTimeout("tcp", addr, limit)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return 0, err
	}
	control := textproto.NewConn(conn)
	if _, _, err := control.ReadResponse(220); err != nil {
		return 0, err
	}
	var reply string
	for _, step := range []struct {
		code int
		line string
	}{
		{331, "USER " + user},
		{230, "PASS " + password},
		{200, "TYPE I"},
		{229, "EPSV"},
	} {
		if err := control.PrintfLine("%s", step.line); err != nil {
			return 0, err
		}
		if _, reply, err = control.ReadResponse(step.code); err != nil {
			return 0, fmt.Errorf("%s: %w", step.line, err)
		}
	}
	m := epsvReply.FindStringSubmatch(reply)
	if m == nil {
		return 0, fmt.Errorf("EPSV: %q", reply)
	}
	host, _, _ := net.SplitHostPort(addr)
	data, err := net.DialTimeout("tcp", net.JoinHostPort(host, m[1]), limit)
	if err != nil {
		return 0, err
	}
	defer data.Close()
	if err := data.SetDeadline(time.Now().Add(limit)); err != nil {
		return 0, err
	}
	if err := control.PrintfLine("RETR %s", name); err != nil {
		return 0, err
	}
	if _, _, err := control.ReadResponse(150); err != nil {
		return 0, err
	}
	h := sha256.New()
	total := 0
	for {
		n, err := io.CopyN(h, data, 256<<10)
		total += int(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			return total, err
		}
		time.Sleep(20 * time.Millisecond)
	}
	if _, _, err := control.ReadResponse(226); err != nil {
		return total, err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != hash {
		return total, fmt.Errorf("hash %s, want %s", got, hash)
	}
	return total, control.PrintfLine("QUIT")
}
