package http_test

import (
	"bufio"
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"

	stdhttp "net/http"

	"github.com/weft-go/weft/net/http"
)

// FuzzRequest: whatever we take for a request the standard library takes for the same
// one, with the same body and the same bytes after it.
func FuzzRequest(f *testing.F) {
	for _, o := range odd {
		if len(o.input) < 10_000 {
			f.Add([]byte(strings.ReplaceAll(strings.TrimPrefix(o.input, "lf:"), "\n", "\r\n")))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, in, err := http.ReadOwn(data)
		if err != nil {
			return
		}
		rest := data
		for range 2 { // the empty lines that we skip
			if after, ok := bytes.CutPrefix(rest, []byte("\r\n")); ok {
				rest = after
			} else if after, ok := bytes.CutPrefix(rest, []byte("\n")); ok {
				rest = after
			}
		}
		stdIn := bufio.NewReader(bytes.NewReader(rest))
		want, err := stdhttp.ReadRequest(stdIn)
		if err != nil {
			t.Fatalf("we accept what std does not: %v", err)
		}
		gotBody, gotErr := io.ReadAll(got.Body)
		wantBody, wantErr := io.ReadAll(want.Body)
		if !bytes.Equal(gotBody, wantBody) {
			t.Errorf("body %q, std has %q", gotBody, wantBody)
		}
		if gotErr == nil && wantErr != nil && !strings.Contains(wantErr.Error(), "long trailer") {
			t.Errorf("the body is whole, std says %v", wantErr)
		}
		if gotErr == nil && wantErr == nil {
			gotRest, _ := io.ReadAll(in)
			wantRest, _ := io.ReadAll(stdIn)
			if !bytes.Equal(gotRest, wantRest) {
				t.Errorf("then comes %q, std has %q", gotRest, wantRest)
			}
		}
		if got.Method != want.Method || got.RequestURI != want.RequestURI || got.Host != want.Host || got.Proto != want.Proto ||
			got.ContentLength != want.ContentLength || got.Close != want.Close || got.URL.String() != want.URL.String() ||
			!reflect.DeepEqual(got.TransferEncoding, want.TransferEncoding) || !reflect.DeepEqual(got.Header, want.Header) {
			t.Errorf("%+v\nstd has\n%+v", got, want)
		}
	})
}
