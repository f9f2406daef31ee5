package layering

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
)

// listed is the part of `go list -json` that says where a package's files are.
type listed struct {
	ImportPath string
	Dir        string

	// All of them: a rule that a build tag can switch off is no rule.
	GoFiles, CgoFiles, IgnoredGoFiles []string
	TestGoFiles, XTestGoFiles         []string
}

// readTree lists the packages of the module that dir lies in and parses their imports.
func readTree(dir string) ([]pkg, error) {
	// -e, so that a package that does not compile still has its imports checked.
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,GoFiles,CgoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles", module+"/...")
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			return pkgs, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		p, err := l.parse()
		if err != nil {
			return nil, err
		}
		pkgs = append(pkgs, p)
	}
}

// parse reads the imports of every file of the package.
func (l listed) parse() (pkg, error) {
	folder, ok := ourFolder(l.ImportPath)
	if !ok {
		return pkg{}, fmt.Errorf("go list: %s is not in %s", l.ImportPath, module)
	}
	p := pkg{folder: folder}
	for _, names := range [][]string{l.GoFiles, l.CgoFiles, l.IgnoredGoFiles, l.TestGoFiles, l.XTestGoFiles} {
		for _, name := range names {
			f, err := parseImports(filepath.Join(l.Dir, name), nil)
			if err != nil {
				return pkg{}, err
			}
			p.files = append(p.files, f)
		}
	}
	return p, nil
}

// parseImports reads the import declarations of one file, or of src if it is not nil.
func parseImports(name string, src any) (file, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, name, src, parser.ImportsOnly)
	if err != nil {
		return file{}, err
	}
	f := file{name: filepath.Base(name)}
	for _, spec := range tree.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return file{}, fmt.Errorf("%s: %w", fset.Position(spec.Pos()), err)
		}
		i := imp{path: importPath, line: fset.Position(spec.Pos()).Line}
		if spec.Name != nil {
			i.alias = spec.Name.Name
		}
		f.imports = append(f.imports, i)
	}
	return f, nil
}
