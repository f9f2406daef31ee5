package peers

import (
	"github.com/panjf2000/gnet/v2"
	"github.com/panjf2000/gnet/v2/pkg/logging"
)

// gnetEcho are the callbacks.
type gnetEcho struct {
	gnet.BuiltinEventEngine
	announce func(addr string)
}

// Gnet serves on gnet: callbacks on one event loop. It chooses the port, since gnet does not tell which one it has.
func Gnet(announce func(addr string)) error {
	addr, err := freeAddress()
	if err != nil {
		return err
	}
	return gnet.Run(&gnetEcho{announce: func(string) { announce(addr) }}, "tcp://"+addr,
		gnet.WithNumEventLoop(1), gnet.WithLogger(silent{}))
}

// silent keeps gnet's log from standard output, where the address is expected.
type silent struct{ logging.Logger }

func (silent) Debugf(string, ...any) {}
func (silent) Infof(string, ...any)  {}
func (silent) Warnf(string, ...any)  {}
func (silent) Errorf(string, ...any) {}

func (e *gnetEcho) OnBoot(gnet.Engine) gnet.Action {
	e.announce("")
	return gnet.None
}

func (e *gnetEcho) OnTraffic(c gnet.Conn) gnet.Action {
	buf, err := c.Next(-1)
	if err != nil {
		return gnet.Close
	}
	if _, err := c.Write(buf); err != nil {
		return gnet.Close
	}
	return gnet.None
}
