using System;
using System.Collections.Generic;
using System.Diagnostics;

namespace Motiongen
{
    /// <summary>
    /// Shows frames at their time by the server's clock, a little late, and blends between them (bridge/PROTOCOL.md,
    /// "Time"). All times are seconds. Frames are used again, so that showing them makes no garbage.
    /// </summary>
    public sealed class Playback
    {
        const int Capacity = 300, Arrivals = 90, Pongs = 8;
        const double Quantile = 0.97, LongestDelay = 0.5;
        /// <summary>A root that moves further than this between two frames jumps, metres.</summary>
        const double Teleport = 0.6;

        static readonly Stopwatch Watch = Stopwatch.StartNew();

        /// <summary>Seconds to add to the local clock for the server's.</summary>
        public double Offset;
        /// <summary>How far behind the server's clock it shows.</summary>
        public double Delay;
        /// <summary>The pose of the last sample, in the stream's axes.</summary>
        public Vec3 Root;
        public Quat[] Rotations = new Quat[0];

        readonly LinkedList<Frame> _frames = new LinkedList<Frame>();
        readonly Stack<LinkedListNode<Frame>> _spare = new Stack<LinkedListNode<Frame>>();
        readonly double[] _lateness = new double[Arrivals], _sorted = new double[Arrivals];
        readonly double[] _roundTrips = new double[Pongs], _offsets = new double[Pongs];
        double _interval = 1 / 30.0;
        int _arrived, _ponged;

        /// <summary>The local clock.</summary>
        public static double Now { get { return Watch.Elapsed.TotalSeconds; } }

        /// <summary>Begin anew: a server that makes so many frames a second, whose clock shows serverTime.</summary>
        public void Begin(double fps, double serverTime)
        {
            _interval = 1 / fps;
            Delay = 1.5 * _interval;
            Offset = serverTime - Now;
            _arrived = _ponged = 0;
            Clear();
        }

        /// <summary>Forget all frames.</summary>
        public void Clear()
        {
            while (_frames.Count > 0) Drop();
        }

        /// <summary>Record a pong: the quickest of the last ones errs least (Cristian, 1989).</summary>
        public void AddPong(double sent, double received, double serverTime)
        {
            _roundTrips[_ponged % Pongs] = received - sent;
            _offsets[_ponged++ % Pongs] = serverTime - (sent + received) / 2;
            int best = 0;
            for (int n = 1; n < Math.Min(_ponged, Pongs); n++)
                if (_roundTrips[n] < _roundTrips[best]) best = n;
            Offset = _offsets[best];
        }

        /// <summary>Return a frame to decode into; give it to Push, or to Return.</summary>
        public LinkedListNode<Frame> Rent()
        {
            return _spare.Count > 0 ? _spare.Pop() : new LinkedListNode<Frame>(new Frame());
        }

        /// <summary>Give back a frame that is not to be shown.</summary>
        public void Return(LinkedListNode<Frame> node) { _spare.Push(node); }

        /// <summary>Store a frame that came when the server's clock showed `arrival`.</summary>
        public void Push(LinkedListNode<Frame> node, double arrival)
        {
            if (_frames.Count > 0 && node.Value.Time <= _frames.Last.Value.Time) { Return(node); return; }
            _frames.AddLast(node);
            if (_frames.Count > Capacity) Drop();
            _lateness[_arrived++ % Arrivals] = arrival - node.Value.Time;
            int count = Math.Min(_arrived, Arrivals);
            Array.Copy(_lateness, _sorted, count);
            Array.Sort(_sorted, 0, count);
            double late = _sorted[Math.Min(count - 1, (int)(Quantile * count))];
            double wanted = Math.Min(LongestDelay, Math.Max(0, late) + 1.2 * _interval);
            // It grows fast and shrinks slowly: late frames come in bursts.
            Delay += (wanted - Delay) * (wanted > Delay ? 0.5 : 0.02);
        }

        /// <summary>Put the pose to be seen when the server's clock shows `now` into Root and Rotations.</summary>
        public bool Sample(double now)
        {
            if (_frames.Count == 0) return false;
            double at = now - Delay;
            while (_frames.Count > 1 && _frames.First.Next.Value.Time <= at) Drop();
            Frame a = _frames.First.Value, b = _frames.Count > 1 ? _frames.First.Next.Value : a;
            if ((b.Root - a.Root).Length > Teleport) b = a;
            // After a pause it holds, and moves in the last two intervals before b.
            double from = Math.Max(a.Time, b.Time - 2 * _interval);
            double share = b == a ? 0 : Math.Min(1, Math.Max(0, (at - from) / (b.Time - from)));
            Root = a.Root + (b.Root - a.Root) * share;
            if (Rotations.Length != a.Rotations.Length) Rotations = new Quat[a.Rotations.Length];
            for (int joint = 0; joint < Rotations.Length; joint++)
                Rotations[joint] = Quat.Lerp(a.Rotations[joint], b.Rotations[joint], share);
            return true;
        }

        void Drop()
        {
            var first = _frames.First;
            _frames.RemoveFirst();
            _spare.Push(first);
        }
    }
}
