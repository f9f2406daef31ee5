package http_test

import (
	"context"
	"fmt"
	"io"
	"net/http/cookiejar"
	"net/http/httptrace"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	stdnet "net"
	stdhttp "net/http"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// TestRedirects: redirects are followed, with the body where that is due, and cookies
// are kept.
func TestRedirects(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			switch r.URL.Path {
			case "/302":
				http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes"})
				http.Redirect(w, r, "/end", http.StatusFound)
			case "/307":
				http.Redirect(w, r, "/end", http.StatusTemporaryRedirect)
			case "/loop":
				http.Redirect(w, r, "/loop", http.StatusFound)
			default:
				fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL.Path, body, r.Header.Get("Cookie"))
			}
		})
		c, _ := client(t)
		var err error
		if c.Jar, err = cookiejar.New(nil); err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]string{"/302": "GET /end  seen=yes", "/307": "POST /end a=b "} {
			resp, err := c.PostForm("http://"+address+path, url.Values{"a": {"b"}})
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, resp); strings.TrimSuffix(got, "seen=yes") != strings.TrimSuffix(want, "seen=yes") {
				t.Errorf("%s: %q, want %q", path, got, want)
			}
		}
		if got := read(t, must(c.Get("http://"+address+"/end"))); got != "GET /end  seen=yes" {
			t.Errorf("%q", got)
		}
		if _, err := c.Get("http://" + address + "/loop"); err == nil || !strings.Contains(err.Error(), "10 redirects") {
			t.Errorf("%v", err)
		}
		if resp := must(c.Head("http://" + address)); resp.ContentLength <= 0 || read(t, resp) != "" {
			t.Error("HEAD", resp.ContentLength)
		}
	})
}

func must(resp *http.Response, err error) *http.Response {
	if err != nil {
		panic(err)
	}
	return resp
}

// TestStandardClient: a client of the standard library uses our Transport.
func TestStandardClient(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "page") })
		_, tr := client(t)
		c := &stdhttp.Client{Transport: tr, Timeout: runtimetest.Patience}
		for range 2 {
			if got := read(t, must(c.Get("http://"+address))); got != "page" {
				t.Errorf("%q", got)
			}
		}
	})
}

// TestDialers: connections are made by what the Transport is given; MaxIdleConns is
// for all hosts together.
func TestDialers(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		srv, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) })
		c, tr := client(t)
		var dialed []string
		tr.MaxIdleConns = 2
		tr.DialContext = func(ctx context.Context, network, addr string) (stdnet.Conn, error) {
			dialed = append(dialed, network+" "+addr)
			return net.Dial("tcp", address)
		}
		for _, host := range []string{"a", "b:81", "c"} {
			get(t, c, "http://"+host, host)
		}
		if got := fmt.Sprint(dialed); got != "[tcp a:80 tcp b:81 tcp c:80]" {
			t.Error(got)
		}
		runtimetest.Eventually(t, "two are kept", func() bool { return srv.Active() == 2 })

		config := certified(t)
		secured := serveTLS(t, rt, &http.Server{TLSConfig: config, Handler: srv.Handler})
		c, tr = client(t)
		var own atomic.Int64
		tr.DialTLSContext = func(ctx context.Context, network, addr string) (stdnet.Conn, error) {
			own.Add(1)
			return dialTLS(secured, config)
		}
		if resp := get(t, c, "https://d", "d"); own.Load() != 1 || resp.TLS == nil {
			t.Error("DialTLSContext is not used", resp.TLS)
		}
	})
}

// TestTrace: the hooks of a trace are called in their order.
func TestTrace(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {})
		c, _ := client(t)
		for _, want := range []string{
			"[GetConn ConnectStart ConnectDone GotConn false WroteHeaders WroteRequest GotFirstResponseByte]",
			"[GetConn GotConn true WroteHeaders WroteRequest GotFirstResponseByte]",
		} {
			var got []string
			add := func(what string) { got = append(got, what) }
			ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
				GetConn:              func(string) { add("GetConn") },
				ConnectStart:         func(string, string) { add("ConnectStart") },
				ConnectDone:          func(string, string, error) { add("ConnectDone") },
				GotConn:              func(i httptrace.GotConnInfo) { add(fmt.Sprint("GotConn ", i.Reused)) },
				WroteHeaders:         func() { add("WroteHeaders") },
				WroteRequest:         func(httptrace.WroteRequestInfo) { add("WroteRequest") },
				GotFirstResponseByte: func() { add("GotFirstResponseByte") },
			})
			req, err := http.NewRequestWithContext(ctx, "GET", "http://"+address, nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = read(t, must(c.Do(req)))
			if fmt.Sprint(got) != want {
				t.Errorf("%v, want %s", got, want)
			}
		}
	})
}

// TestNoGoroutines: a request and its answer take no goroutine, and no task of their own.
func TestNoGoroutines(t *testing.T) {
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		_, address := serve(t, rt, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %d", body, rt.Stats().Tasks)
		})
		c, _ := client(t)
		before := rt.Stats().Tasks
		for range 3 {
			resp := must(c.Post("http://"+address, "", strings.NewReader("body")))
			if got, want := read(t, resp), fmt.Sprint("body ", before+1); got != want { // the connection's
				t.Errorf("%q, want %q", got, want)
			}
		}
	})
}

// TestFileServer: files and folders of a directory, and of an fs.FS.
func TestFileServer(t *testing.T) {
	in(t, func(t *testing.T, rt *runtime.Runtime) {
		dir := t.TempDir()
		content := strings.Repeat("content ", 20_000)
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, h := range []http.Handler{http.FileServer(http.Dir(dir)), http.FileServerFS(os.DirFS(dir))} {
			_, address := serve(t, rt, h.ServeHTTP)
			c, _ := client(t)
			get(t, c, "http://"+address+"/file", content)
			if got := read(t, must(c.Get("http://"+address+"/"))); !strings.Contains(got, `<a href="file">`) {
				t.Errorf("folder: %q", got)
			}
			if resp := must(c.Get("http://" + address + "/none")); resp.StatusCode != 404 {
				t.Error(resp.Status)
			} else {
				_ = read(t, resp)
			}
			resp := must(c.Do(request(t, "GET", "http://"+address+"/file", "Range", "bytes=8-15")))
			if got := read(t, resp); got != "content " || resp.StatusCode != 206 {
				t.Errorf("range: %d %q", resp.StatusCode, got)
			}
		}
	})
}
