package net

import (
	"context"
	"net/http/httptrace"
	"reflect"

	"github.com/weft-go/weft/runtime"
)

// trace has the hooks of net/http/httptrace that see lookups and connects. The
// standard library's packages net and httptrace meet in an internal one; what a
// program has put into the context is open to all.
type trace struct{ hooks *httptrace.ClientTrace }

func traceOf(ctx context.Context) trace { return trace{httptrace.ContextClientTrace(ctx)} }

func (t trace) lookupStart(host string) {
	if t.hooks != nil && t.hooks.DNSStart != nil {
		t.hooks.DNSStart(httptrace.DNSStartInfo{Host: host})
	}
}

func (t trace) lookupDone(addrs []IPAddr, shared bool, err error) {
	if t.hooks != nil && t.hooks.DNSDone != nil {
		t.hooks.DNSDone(httptrace.DNSDoneInfo{Addrs: addrs, Coalesced: shared, Err: err})
	}
}

// connect calls dial between the hooks.
func (t trace) connect(network string, addr Addr, dial func() (Conn, error)) (c Conn, err error) {
	if t.hooks == nil {
		return dial()
	}
	text := addr.String()
	if t.hooks.ConnectStart != nil {
		t.hooks.ConnectStart(network, text)
	}
	if t.hooks.ConnectDone != nil {
		err = runtime.ErrKilled // if a wait unwinds the task
		defer func() { t.hooks.ConnectDone(network, text, err) }()
	}
	return dial()
}

// lookupContext has the values of the context of whoever began a lookup, but not
// the traces of package httptrace: others share the lookup, and the connections
// to name servers are not the ones to trace.
type lookupContext struct{ context.Context }

func (c lookupContext) Value(key any) any {
	if t := reflect.TypeOf(key); t != nil {
		switch t.PkgPath() {
		case "internal/nettrace", "net/http/httptrace":
			return nil
		}
	}
	return c.Context.Value(key)
}
