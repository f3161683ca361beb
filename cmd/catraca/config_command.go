package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/config"
)

// configFlags are those of every command that reads a configuration of its own.
type configFlags struct {
	file string
	set  []string
}

func (f *configFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.file, "config", "", "configuration file (YAML)")
	f.overrides(c)
}

func (f *configFlags) overrides(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.set, "set", nil, "a value above file and environment, KEY=VALUE; may be repeated")
}

// read gathers all sources. CATRACA_CONFIG names the file when no flag does.
func (f *configFlags) read(c *cobra.Command, env environment) (*config.Loaded, error) {
	file := f.file
	if file == "" {
		file, _ = env.lookup("CATRACA_CONFIG")
	}
	var flags []config.Override
	for _, s := range f.set {
		key, value, ok := strings.Cut(s, "=")
		if !ok || key == "" {
			return nil, wrong(c, "--set %q, allowed is KEY=VALUE like fan.listen=127.0.0.1:8080", s)
		}
		flags = append(flags, config.Override{Path: key, Value: value})
	}
	return config.Read(file, env.lookup, flags...)
}

// load is read with validation, and tells the warnings.
func (f *configFlags) load(c *cobra.Command, env environment) (*config.Loaded, error) {
	l, err := f.read(c, env)
	if err != nil {
		return nil, err
	}
	if err := l.Validate(); err != nil {
		return nil, err
	}
	for _, w := range l.Config.Warnings() {
		env.say("warning: %s: %s", w.Path, w.Message)
	}
	return l, nil
}

func configCommand(env environment) *cobra.Command {
	return group(env, &cobra.Command{
		Use:     "config",
		Short:   "Check or show a node's configuration",
		Example: "  catraca config check /etc/catraca/catraca.yaml\n  catraca config print --config catraca.yaml --origin",
		Long: "Flags (--set fan.listen=…) beat the environment (CATRACA_FAN_LISTEN), the environment beats the file, and the\n" +
			"file beats the defaults.",
	}, configCheckCommand(env), configPrintCommand(env))
}

func configCheckCommand(env environment) *cobra.Command {
	var f configFlags
	c := &cobra.Command{
		Use:     "check FILE",
		Short:   "Tell whether a configuration is right, and everything that is wrong with it",
		Long:    "Checks keys, values and combinations, with the environment and --set on top as the server would. It opens no\nport and reads no secret.",
		Example: "  catraca config check /etc/catraca/catraca.yaml\n  catraca config check catraca.yaml --set fan.public_url=https://shop.example.com",
		Args:    exactly("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			f.file = args[0]
			l, err := f.load(c, env)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(env.stdout, "%s: valid (digest %s)\n", l.File, l.Digest())
			return err
		},
	}
	f.overrides(c)
	return c
}

func configPrintCommand(env environment) *cobra.Command {
	var f configFlags
	var o config.PrintOptions
	bare := false
	c := &cobra.Command{
		Use:     "print",
		Short:   "Show the effective configuration with what each key means",
		Long:    "Without a file it shows the defaults: a good beginning of a file of one's own. Secrets are not in it, only the\nnames of the files that hold them.",
		Example: "  catraca config print > catraca.yaml\n  catraca config print --config catraca.yaml --origin --bare",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := f.read(c, env)
			if err != nil {
				return err
			}
			o.Comments = !bare
			return l.Print(env.stdout, o)
		},
	}
	f.flags(c)
	c.Flags().BoolVar(&o.Origin, "origin", false, "say where each value comes from")
	c.Flags().BoolVar(&bare, "bare", false, "leave out what each key means")
	return c
}
