package net_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"

	stdnet "net"
)

// sentinels are the errors that programs look for.
var sentinels = []struct {
	name string
	err  error
}{
	{"EOF", io.EOF},
	{"UnexpectedEOF", io.ErrUnexpectedEOF},
	{"net.ErrClosed", stdnet.ErrClosed},
	{"os.ErrDeadlineExceeded", os.ErrDeadlineExceeded},
	{"os.ErrNotExist", os.ErrNotExist},
	{"context.Canceled", context.Canceled},
	{"ECONNREFUSED", syscall.ECONNREFUSED},
	{"ECONNRESET", syscall.ECONNRESET},
	{"EPIPE", syscall.EPIPE},
	{"EADDRINUSE", syscall.EADDRINUSE},
	{"EADDRNOTAVAIL", syscall.EADDRNOTAVAIL},
	{"EINVAL", syscall.EINVAL},
	{"ENOTCONN", syscall.ENOTCONN},
	{"EAGAIN", syscall.EAGAIN},
	{"ENOENT", syscall.ENOENT},
}

var (
	port4   = regexp.MustCompile(`(\d+\.\d+\.\d+\.\d+):[1-9]\d+`)
	port6   = regexp.MustCompile(`(\[[0-9a-f:]*\]):[1-9]\d+`)
	bare    = regexp.MustCompile(` :[1-9]\d+`)
	tempDir = regexp.MustCompile(`/[^ ]*/weft\d+`)
)

// unified replaces what differs from run to run.
func unified(text string) string {
	text = port4.ReplaceAllString(text, "$1:port")
	text = port6.ReplaceAllString(text, "$1:port")
	text = bare.ReplaceAllString(text, " :port")
	return tempDir.ReplaceAllString(text, "dir")
}

// describe tells all of an error that a program can see: text, types with their
// fields, sentinels, whether it is a timeout.
func describe(err error) string {
	if err == nil {
		return "nil"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%q", unified(err.Error()))
	for e := err; e != nil; e = errors.Unwrap(e) {
		switch e := e.(type) {
		case *stdnet.OpError:
			fmt.Fprintf(&b, " OpError(%s %s %s %s)", e.Op, e.Net, describeAddr(e.Source), describeAddr(e.Addr))
		case *os.SyscallError:
			fmt.Fprintf(&b, " SyscallError(%s)", e.Syscall)
		case syscall.Errno:
			b.WriteString(" Errno")
		case *stdnet.AddrError:
			fmt.Fprintf(&b, " AddrError(%s)", e.Err)
		case *stdnet.DNSError:
			b.WriteString(" DNSError")
		case stdnet.UnknownNetworkError:
			b.WriteString(" UnknownNetworkError")
		}
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			b.WriteString(" is " + s.name)
		}
	}
	var ne stdnet.Error
	if errors.As(err, &ne) && ne.Timeout() {
		b.WriteString(" timeout")
	}
	return b.String()
}

func describeAddr(a stdnet.Addr) string {
	if a == nil {
		return "-"
	}
	return fmt.Sprintf("%T:%s:%s", a, a.Network(), unified(" " + a.String())[1:])
}

// tell is a line of a scenario.
func tell(what string, results ...any) string {
	var b strings.Builder
	b.WriteString(what + ":")
	for _, r := range results {
		switch r := r.(type) {
		case nil:
			b.WriteString(" nil")
		case error:
			b.WriteString(" " + describe(r))
		case stdnet.Addr:
			b.WriteString(" " + describeAddr(r))
		default:
			b.WriteString(" " + unified(fmt.Sprint(r)))
		}
	}
	return b.String()
}
