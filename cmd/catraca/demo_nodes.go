package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/catraca/catraca/config"
	"github.com/catraca/catraca/config/eventfile"
	"github.com/catraca/catraca/transport/pay/sandbox"
	"github.com/catraca/catraca/transport/wire"
)

// startTroupe starts the nodes as processes of their own, with the sandbox's payments and mailbox.
func (s *stage) startTroupe(ctx context.Context, env environment, o demoOptions) (err error) {
	if s.troupe, err = newTroupe(ctx, s.dir, o.nodes, o.data != "", func(format string, args ...any) {
		if env.terminal {
			format = "\r\033[K  " + format
		}
		env.say(format, args...)
	}); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(s.sink.Addr())
	if err != nil {
		return fmt.Errorf("find mailbox: %w", err)
	}
	cfg := config.Default()
	if cfg.Mail.Port, err = strconv.Atoi(port); err != nil {
		return fmt.Errorf("find mailbox: %w", err)
	}
	key, hook := filepath.Join(s.dir, "stripe.key"), filepath.Join(s.dir, "stripe.webhook")
	if err := writeSecret(key, sandboxKey); err != nil {
		return err
	}
	if err := writeSecret(hook, sandboxSecret); err != nil {
		return err
	}
	cfg.Fan.PublicURL, cfg.Fan.TrustedProxies = s.public, []string{"127.0.0.1"}
	cfg.Fan.PerAddress = cfg.Fan.MaxConnections // everybody comes from this machine
	cfg.Payment = config.Payment{APIURL: s.payURL, SecretKeyFile: key, WebhookSecretFile: hook, HostedPage: s.payURL + sandbox.HostedPath}
	cfg.Mail.Host, cfg.Mail.TLS, cfg.Mail.From = host, "none", "Catraca <ingressos@catraca.example>"
	cfg.Log.Format = "text"
	if err := s.troupe.configure(cfg); err != nil {
		return err
	}
	return s.troupe.start(ctx)
}

// stageByAPI makes the administrator and puts the event on sale, as operators do.
func (s *stage) stageByAPI(ctx context.Context, o demoOptions) error {
	s.admin = newPassword()
	err := s.troupe.ask(ctx, func(c *client) error {
		_, err := c.post(ctx, "/api/v1/admin/accounts", map[string]any{"email": adminEmail, "name": "Admin", "password": s.admin, "role": "owner"}, nil)
		return err
	})
	if isRefused(err, wire.EmailTaken) {
		s.admin, err = "(as before)", nil // kept data: the account is there
	}
	if err != nil {
		return fmt.Errorf("make the administrator: %w", err)
	}
	b, err := s.bundle(o)
	if err != nil {
		return err
	}
	body, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("encode event file: %w", err)
	}
	if s.event, _, err = eventfile.Import(time.Now(), body, eventfile.BundleType); err != nil {
		return err
	}
	err = s.troupe.ask(ctx, func(c *client) error {
		var a applied
		_, err := c.call(ctx, http.MethodPost, "/api/v1/admin/events", eventfile.BundleType, body, &a)
		if err == nil && a.Event != nil {
			s.event.OpensAt = int64(a.Event.OpensAt)
		}
		return err
	})
	if isRefused(err, wire.WrongState) && o.data != "" {
		return nil // kept data: the sale goes on
	}
	if err != nil {
		return fmt.Errorf("put the event on sale: %w", err)
	}
	return nil
}

// bundle is the event file as operators send it, a rehearsal that opens when the demonstration wants.
func (s *stage) bundle(o demoOptions) (eventfile.Bundle, error) {
	b := eventfile.Bundle{Name: "aurora.yaml", File: string(auroraFile)}
	if o.event != "" {
		data, err := os.ReadFile(o.event)
		if err != nil {
			return b, fmt.Errorf("read event file: %w", err)
		}
		f, err := eventfile.Parse(o.event, data)
		if err != nil {
			return b, err
		}
		b = eventfile.Bundle{Name: filepath.Base(o.event), File: string(data)}
		if f.Plan != "" {
			if plan, err := os.ReadFile(filepath.Join(filepath.Dir(o.event), f.Plan)); err == nil {
				b.Plan = plan
			}
		}
	}
	for key, value := range map[string]string{"opens_at": "now+" + o.opensIn.String(), "rehearsal": "true"} {
		line := regexp.MustCompile(`(?m)^` + key + `:.*$`)
		if line.MatchString(b.File) {
			b.File = line.ReplaceAllString(b.File, key+": "+value)
		} else {
			b.File = key + ": " + value + "\n" + b.File
		}
	}
	return b, nil
}

// mintByAPI makes accounts for the crowd.
func (s *stage) mintByAPI(ctx context.Context, n int) ([]fan, error) {
	var made struct {
		Fans []fan `json:"fans"`
	}
	err := s.troupe.ask(ctx, func(c *client) error {
		_, err := c.post(ctx, "/api/v1/admin/events/"+url.PathEscape(s.event.Slug)+"/rehearsal-fans", map[string]any{"count": n}, &made)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make simulated fans: %w", err)
	}
	return made.Fans, nil
}

// lineByAPI tells how the sale and the nodes are.
func (s *stage) lineByAPI(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	var e wire.Event
	var w wire.Cluster
	err := s.troupe.ask(ctx, func(c *client) error {
		if _, err := c.get(ctx, "/api/v1/events/"+url.PathEscape(s.event.Slug), &e); err != nil {
			return err
		}
		_, err := c.get(ctx, clusterPath, &w)
		return err
	})
	if err != nil {
		return "no node answers for now"
	}
	free, held, sold := stock(e)
	var nodes []string
	for _, n := range w.Nodes {
		state := "leads " + strconv.Itoa(n.Leads)
		if n.State != "alive" {
			state = n.State
		}
		nodes = append(nodes, n.Name+" "+state)
	}
	return fmt.Sprintf("%s · seats free %d, held %d, sold %d · %s", e.Phase, free, held, sold, strings.Join(nodes, ", "))
}

// announceNodes says how to play with the nodes.
func (s *stage) announceNodes(env environment) {
	var b strings.Builder
	rows := [][]string{{"  Node", "Process", "Fans and pages", "Operators"}}
	for _, p := range s.troupe.actors {
		rows = append(rows, []string{"  " + p.name, strconv.Itoa(p.process()), "http://" + p.fan, "http://" + p.operator})
	}
	if err := table(&b, rows); err != nil {
		return // memory takes everything
	}
	first, last := s.troupe.actors[0], s.troupe.actors[len(s.troupe.actors)-1]
	env.say("%s\n  Take a node away while you buy:   kill -9 %d\n  It comes back by itself after %s. Meanwhile look at the cluster, or move its work:\n"+
		"    catraca cluster status --config %s\n    catraca cluster drain %s --config %[4]s\n  What the nodes say is in %[6]s.\n",
		b.String(), last.process(), returnAfter, first.file, last.name, filepath.Join(s.dir, "n*.log"))
}
