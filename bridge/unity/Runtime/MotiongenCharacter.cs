using System;
using System.Collections.Generic;
using UnityEngine;

namespace Motiongen
{
    /// <summary>A character of a motiongen server, live on a Humanoid.</summary>
    [RequireComponent(typeof(Animator))]
    public sealed class MotiongenCharacter : MonoBehaviour
    {
        const float GotoSeconds = 0.5f, GotoMetres = 0.2f;

        [Tooltip("Address that motiongen serve printed, with ws: and /ws")]
        public string url = "ws://127.0.0.1:8787/ws";
        [Tooltip("The server's secret, if it has one")]
        public string token = "";
        [Tooltip("What the character does first; empty to stand")]
        public string prompt = "a person walks forward";
        [Tooltip("The character walks to this object when it moves")]
        public Transform target;

        Link _link;
        Rig _rig;
        Transform[] _bones;
        Vector3 _goal;
        float _went = -GotoSeconds;
        bool _hasGoal;

        /// <summary>For people: what goes on.</summary>
        public string Status { get { return _link == null ? "" : _link.Status; } }

        /// <summary>Do what a sentence says, now, or after what is done.</summary>
        public void Prompt(string text, bool then = false)
        {
            if (_link != null) _link.Prompt(text, then);
        }

        /// <summary>Stop, and stand.</summary>
        public void Hold()
        {
            if (_link != null) _link.Tell("hold");
        }

        void OnEnable()
        {
            GetComponent<Animator>().enabled = false; // else it would pose the bones as well
            _link = new Link(url, token, prompt);
        }

        void OnDisable()
        {
            if (_link != null) _link.Dispose();
            _link = null;
        }

        void LateUpdate()
        {
            if (_link == null || _link.Skeleton == null) return;
            if (_rig == null && !Bind(_link.Skeleton)) return;
            for (string note = _link.NextNote(); note != null; note = _link.NextNote()) Debug.Log("motiongen: " + note);
            if (!_link.Show(_rig)) return;
            for (int n = 0; n < _bones.Length; n++)
            {
                if (_bones[n] == null) continue;
                Quat turn = _rig.World[n];
                var local = new Quaternion((float)turn.X, (float)turn.Y, (float)turn.Z, (float)turn.W);
                _bones[n].rotation = transform.rotation * local;
            }
            var hips = new Vector3((float)_rig.Hips.X, (float)_rig.Hips.Y, (float)_rig.Hips.Z);
            _bones[0].position = transform.TransformPoint(hips);
            if (target != null) Follow();
        }

        void Follow()
        {
            Vector3 place = transform.InverseTransformPoint(target.position);
            if (Time.time - _went < GotoSeconds) return;
            if (_hasGoal && (place - _goal).magnitude < GotoMetres * (float)_rig.Scale) return;
            _goal = place;
            _went = Time.time;
            _hasGoal = true;
            Vec3 at = _rig.ToStream(new Vec3(place.x, place.y, place.z));
            _link.Tell("goto", "\"x\":" + Json.Number(at.X) + ",\"z\":" + Json.Number(at.Z));
        }

        bool Bind(Dictionary<string, object> skeleton)
        {
            var names = ((List<object>)skeleton["names"]).ConvertAll(name => (string)name).ToArray();
            var parents = ((List<object>)skeleton["parents"]).ConvertAll(parent => (int)(double)parent).ToArray();
            var offsets = ((List<object>)skeleton["offsets"]).ConvertAll(one => ToVec((List<object>)one)).ToArray();
            var animator = GetComponent<Animator>();
            _bones = new Transform[names.Length];
            var has = new bool[names.Length];
            var rest = new Quat[names.Length];
            var heads = new Vec3[names.Length];
            for (int n = 0; n < names.Length; n++)
            {
                string bone;
                if (!animator.isHuman || !Rig.Bones.TryGetValue(names[n], out bone)) continue;
                _bones[n] = animator.GetBoneTransform((HumanBodyBones)Enum.Parse(typeof(HumanBodyBones), bone));
                if (_bones[n] == null) continue;
                Quaternion turn = Quaternion.Inverse(transform.rotation) * _bones[n].rotation;
                Vector3 head = transform.InverseTransformPoint(_bones[n].position);
                has[n] = true;
                rest[n] = new Quat(turn.x, turn.y, turn.z, turn.w);
                heads[n] = new Vec3(head.x, head.y, head.z);
            }
            try
            {
                _rig = new Rig(names, parents, offsets, has, rest, heads);
                return true;
            }
            catch (ArgumentException error)
            {
                Debug.LogError("motiongen: " + error.Message, this);
                enabled = false;
                return false;
            }
        }

        static Vec3 ToVec(List<object> numbers)
        {
            return new Vec3((double)numbers[0], (double)numbers[1], (double)numbers[2]);
        }
    }
}
