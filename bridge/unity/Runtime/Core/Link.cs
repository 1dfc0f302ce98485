using System;
using System.Collections.Generic;
using System.Net.WebSockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Motiongen
{
    using Message = Dictionary<string, object>;

    /// <summary>A character of a motiongen server, opened again or resumed when the connection drops.</summary>
    public sealed class Link : IDisposable
    {
        const double FirstWait = 0.25, LongestWait = 4, PingSeconds = 2;
        const int FirstPings = 6, MostWaiting = 32, MaxBytes = 1 << 20;

        readonly Uri _uri;
        readonly string _token;
        readonly object _lock = new object();
        readonly Queue<string> _waiting = new Queue<string>();
        readonly Queue<string> _notes = new Queue<string>();
        readonly CancellationTokenSource _stop = new CancellationTokenSource();
        readonly SemaphoreSlim _sending = new SemaphoreSlim(1);
        readonly Playback _playback = new Playback();
        string _prompt, _session = "";
        ClientWebSocket _socket;
        int _character;
        long _last = -1;
        bool _isOpen;

        /// <summary>For people: what goes on.</summary>
        public volatile string Status = "connecting …";
        /// <summary>hello.skeleton; null before the server's first message.</summary>
        public volatile Message Skeleton;
        /// <summary>Whether it is connected or tries to be.</summary>
        public volatile bool IsRunning = true;

        /// <summary>Connect, in the background. Throws UriFormatException for what is no address.</summary>
        public Link(string url, string token, string prompt)
        {
            _uri = new Uri(url);
            _token = token;
            _prompt = prompt;
            Task.Run(Run);
        }

        /// <summary>Send the prompt to the character, now or when it is there; "then": after what it does.</summary>
        public void Prompt(string text, bool then = false)
        {
            if (!then) _prompt = text;
            Tell(then ? "then" : "prompt", "\"text\":" + Json.Quote(text));
        }

        /// <summary>Send a verb with its arguments as JSON: Tell("goto", "\"x\":1,\"z\":2"); see PROTOCOL.md.</summary>
        public void Tell(string verb, string arguments = "")
        {
            lock (_lock)
            {
                _waiting.Enqueue("\"type\":" + Json.Quote(verb) + (arguments == "" ? "" : "," + arguments));
                if (_waiting.Count > MostWaiting) _waiting.Dequeue();
            }
            SendWaiting();
        }

        /// <summary>Return the server's next sentence for people, or null.</summary>
        public string NextNote()
        {
            lock (_lock) return _notes.Count > 0 ? _notes.Dequeue() : null;
        }

        /// <summary>Put the pose that is due on a rig; return whether there is one.</summary>
        public bool Show(Rig rig)
        {
            lock (_lock)
            {
                if (!_playback.Sample(Playback.Now + _playback.Offset)) return false;
                rig.Apply(_playback.Rotations, _playback.Root);
                return true;
            }
        }

        /// <summary>Hang up; the character is closed.</summary>
        public void Dispose()
        {
            if (_isOpen) Send("{\"type\":\"close\",\"character\":" + _character + "}").Wait(500);
            _stop.Cancel();
            Status = "disconnected";
            IsRunning = false;
        }

        async Task Run()
        {
            double wait = FirstWait;
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    using (_socket = new ClientWebSocket())
                    {
                        _socket.Options.AddSubProtocol("motiongen.v1");
                        if (_token != "") _socket.Options.SetRequestHeader("Authorization", "Bearer " + _token);
                        await _socket.ConnectAsync(Address(), _stop.Token);
                        await Serve();
                    }
                    if (_socket.CloseStatus.HasValue && IsFinal((int)_socket.CloseStatus.Value)) break;
                }
                catch (OperationCanceledException) { break; }
                catch (InvalidOperationException error) { Status = error.Message; break; }
                catch (FormatException error) { Status = error.Message; break; }
                catch (Exception error) // the network's, of which each platform has its own
                {
                    // Nor does it tell why a handshake was refused.
                    string hint = _token == "" ? "" : ", is the token right?";
                    Status = "no connection to " + _uri + " (" + error.Message + hint + "); trying again …";
                }
                if (_isOpen) wait = FirstWait;
                _isOpen = false;
                try { await Task.Delay(TimeSpan.FromSeconds(wait), _stop.Token); }
                catch (OperationCanceledException) { break; }
                wait = Math.Min(2 * wait, LongestWait);
            }
            IsRunning = _isOpen = false;
        }

        bool IsFinal(int code)
        {
            if (code != 1000 && code != 1001 && code != 1008) return false;
            Status = code == 1001 ? "the server stopped" : "the server hung up: " + _socket.CloseStatusDescription;
            return true;
        }

        async Task Serve()
        {
            var buffer = new byte[65536];
            bool isGreeted = false;
            double pinged = 0;
            int pings = 0;
            while (_socket.State == WebSocketState.Open)
            {
                double now = Playback.Now;
                if (isGreeted && (pings < FirstPings || now - pinged > PingSeconds))
                {
                    pings++;
                    pinged = now;
                    await Send("{\"type\":\"ping\",\"time\":" + Json.Number(now) + "}");
                }
                int length = 0;
                WebSocketReceiveResult part;
                do
                {
                    if (length == buffer.Length) Array.Resize(ref buffer, 2 * length);
                    if (buffer.Length > MaxBytes) throw new FormatException("the server sent too much");
                    var room = new ArraySegment<byte>(buffer, length, buffer.Length - length);
                    part = await _socket.ReceiveAsync(room, _stop.Token);
                    length += part.Count;
                } while (!part.EndOfMessage);
                if (part.MessageType == WebSocketMessageType.Close) return;
                if (part.MessageType == WebSocketMessageType.Binary) { Keep(buffer, length); continue; }
                var message = Json.Parse(Encoding.UTF8.GetString(buffer, 0, length)) as Message;
                if (message == null) continue;
                if (isGreeted) await Read(message);
                else await Greet(message);
                isGreeted = true;
            }
        }

        // Who comes back says where its character lives.
        Uri Address()
        {
            if (_session == "") return _uri;
            return new Uri(_uri + (_uri.Query == "" ? "?" : "&") + "at=" + _session.Substring(0, 4));
        }

        async Task Greet(Message hello)
        {
            if (Text(hello, "type") != "hello" || Number(hello, "version") != 1)
                throw new InvalidOperationException("expected a server of protocol version 1; use its own package");
            lock (_lock) _playback.Begin(Number(hello, "fps"), Number(hello, "time") / 1e6);
            Skeleton = (Message)hello["skeleton"];
            string before = _session;
            _session = Text(hello, "session");
            if (before == "" || _character == 0) { await Open(); return; }
            await Send("{\"type\":\"resume\",\"id\":0,\"session\":" + Json.Quote(before) + ",\"last\":{\"" +
                _character + "\":" + _last + "}}");
        }

        Task Open()
        {
            _character = 0;
            _last = -1;
            return Send("{\"type\":\"open\",\"id\":1,\"prompt\":" + Json.Quote(_prompt) + "}");
        }

        async Task Read(Message message)
        {
            string type = Text(message, "type");
            double id = message.ContainsKey("id") ? Number(message, "id") : -1;
            if (type == "pong")
                lock (_lock)
                    _playback.AddPong(Number(message, "time"), Playback.Now, Number(message, "server_time") / 1e6);
            else if (type == "ok" && id == 1)
            {
                _character = (int)Number(message, "character");
                Opened();
            }
            else if (type == "ok" && id == 0 && ((Message)message["characters"]).ContainsKey(_character.ToString()))
                Opened();
            else if (id == 0 && (type == "ok" || type == "error")) await Open();
            else if (type == "error" && id == 1) throw new InvalidOperationException(Text(message, "message"));
            else if (type == "error") Note(Text(message, "message"));
            else if (type == "event" && Text(message, "event") == "note") Note(Text(message, "text"));
            else if (type == "event" && Text(message, "event") == "closed")
                throw new InvalidOperationException("the server closed the character");
            else if (type == "event") Status = Text(message, "event") + " " + Text(message, "text");
        }

        void Opened()
        {
            _isOpen = true;
            Status = "connected";
            SendWaiting();
        }

        void Note(string text)
        {
            lock (_lock)
            {
                _notes.Enqueue(text);
                if (_notes.Count > MostWaiting) _notes.Dequeue();
            }
        }

        void Keep(byte[] data, int length)
        {
            lock (_lock)
            {
                var node = _playback.Rent();
                if (!node.Value.Decode(data, length) || _character != 0 && node.Value.Character != _character)
                {
                    _playback.Return(node);
                    return;
                }
                _last = node.Value.Seq;
                _playback.Push(node, Playback.Now + _playback.Offset);
            }
        }

        void SendWaiting()
        {
            while (_isOpen)
            {
                string message;
                lock (_lock)
                {
                    if (_waiting.Count == 0) return;
                    message = _waiting.Dequeue();
                }
                _ = Send("{" + message + ",\"character\":" + _character + "}");
            }
        }

        async Task Send(string text)
        {
            var data = new ArraySegment<byte>(Encoding.UTF8.GetBytes(text));
            // Without the caller's context: Dispose waits for this on Unity's main thread.
            await _sending.WaitAsync().ConfigureAwait(false);
            try
            {
                await _socket.SendAsync(data, WebSocketMessageType.Text, true, _stop.Token).ConfigureAwait(false);
            }
            catch (Exception) { } // lost: the loop that receives finds out, and comes back
            finally { _sending.Release(); }
        }

        static string Text(Message message, string name)
        {
            object value;
            return message.TryGetValue(name, out value) && value is string ? (string)value : "";
        }

        static double Number(Message message, string name)
        {
            object value;
            if (message.TryGetValue(name, out value) && value is double) return (double)value;
            throw new FormatException("message: expected a number " + name);
        }
    }
}
