using System;
using System.Collections.Generic;

namespace Motiongen
{
    /// <summary>
    /// Puts the stream's pose on a Humanoid that faces +Z in its root's space, by rotations alone. With N a joint's
    /// rotation in the world and T the bone's in the T-pose, the bone's is N T. T comes from the rest pose, in which arms
    /// and legs are laid along the stream's T-pose by the shortest way, so that an A-pose does no harm.
    /// </summary>
    public sealed class Rig
    {
        /// <summary>The stream's joints, and the names of Unity's HumanBodyBones.</summary>
        public static readonly Dictionary<string, string> Bones = new Dictionary<string, string>
        {
            { "pelvis", "Hips" }, { "left_hip", "LeftUpperLeg" }, { "right_hip", "RightUpperLeg" },
            { "spine1", "Spine" }, { "left_knee", "LeftLowerLeg" }, { "right_knee", "RightLowerLeg" },
            { "spine2", "Chest" }, { "left_ankle", "LeftFoot" }, { "right_ankle", "RightFoot" },
            { "spine3", "UpperChest" }, { "left_foot", "LeftToes" }, { "right_foot", "RightToes" },
            { "neck", "Neck" }, { "left_collar", "LeftShoulder" }, { "right_collar", "RightShoulder" },
            { "head", "Head" }, { "left_shoulder", "LeftUpperArm" }, { "right_shoulder", "RightUpperArm" },
            { "left_elbow", "LeftLowerArm" }, { "right_elbow", "RightLowerArm" },
            { "left_wrist", "LeftHand" }, { "right_wrist", "RightHand" },
        };

        const double AnkleHeight = 0.085;

        /// <summary>The character's legs over the stream's.</summary>
        public readonly double Scale;
        /// <summary>What Apply found: each joint's bone in the root's space; those that are missing are to be ignored.</summary>
        public readonly Quat[] World;
        /// <summary>Where the hips are, in the root's space.</summary>
        public Vec3 Hips;

        readonly string[] _names;
        readonly int[] _parents;
        readonly Vec3[] _offsets;
        readonly Quat[] _tPose, _turns;
        readonly Vec3[] _places;
        readonly Vec3 _hipOffset;
        readonly double _lift;
        readonly int _leftHip, _rightHip;

        /// <summary>Make a rig.</summary>
        /// <param name="names">hello.skeleton.names.</param>
        /// <param name="parents">hello.skeleton.parents.</param>
        /// <param name="offsets">hello.skeleton.offsets, in the stream's axes.</param>
        /// <param name="has">Whether there is a bone for each joint.</param>
        /// <param name="rest">Each bone's rotation at rest, in the root's space.</param>
        /// <param name="heads">Each bone's place at rest, in the root's space.</param>
        public Rig(string[] names, int[] parents, Vec3[] offsets, bool[] has, Quat[] rest, Vec3[] heads)
        {
            _names = names;
            _parents = parents;
            _offsets = Array.ConvertAll(offsets, UnityAxes.Position);
            World = new Quat[names.Length];
            _turns = new Quat[names.Length];
            _places = new Vec3[names.Length];
            foreach (string joint in new[] { "pelvis", "left_hip", "right_hip", "left_knee", "left_ankle" })
                if (!has[Index(joint)])
                    throw new ArgumentException("rig: expected a bone " + Bones[joint] + "; configure the Avatar");
            _leftHip = Index("left_hip");
            _rightHip = Index("right_hip");
            int knee = Index("left_knee"), ankle = Index("left_ankle");
            double legs = (heads[knee] - heads[_leftHip]).Length + (heads[ankle] - heads[knee]).Length;
            if (!(legs > 0)) throw new ArgumentException("rig: expected legs that have a length, got none");
            Scale = legs / (offsets[knee].Length + offsets[ankle].Length);
            _hipOffset = (heads[_leftHip] + heads[_rightHip]) * 0.5 - heads[Index("pelvis")];
            _lift = heads[ankle].Y >= 0 && heads[ankle].Y < 0.4 * legs ? heads[ankle].Y - AnkleHeight * Scale : 0;
            _tPose = TPose(has, rest, heads);
        }

        /// <summary>Put a pose, in the stream's axes, into World and Hips, in the root's space.</summary>
        public void Apply(Quat[] rotations, Vec3 root)
        {
            for (int joint = 0; joint < _names.Length; joint++)
            {
                int parent = _parents[joint];
                Quat turn = UnityAxes.Rotation(rotations[joint]);
                _turns[joint] = parent < 0 ? turn : _turns[parent] * turn;
                _places[joint] = parent < 0
                    ? UnityAxes.Position(root)
                    : _places[parent] + _turns[parent] * _offsets[joint];
                World[joint] = _turns[joint] * _tPose[joint];
            }
            Vec3 middle = (_places[_leftHip] + _places[_rightHip]) * (0.5 * Scale) + new Vec3(0, _lift, 0);
            Hips = middle - _turns[0] * _hipOffset;
        }

        /// <summary>Where a place in the root's space is on the stream's floor: X and Z.</summary>
        public Vec3 ToStream(Vec3 place) { return UnityAxes.Position(place) * (1 / Scale); }

        int Index(string joint) { return Array.IndexOf(_names, joint); }

        Quat[] TPose(bool[] has, Quat[] rest, Vec3[] heads)
        {
            var swings = new Quat[_names.Length];
            for (int n = 0; n < swings.Length; n++) swings[n] = Quat.Identity;
            foreach (string side in new[] { "left_", "right_" })
            {
                Lay(side, new[] { "hip", "knee", "ankle" }, true, swings, has, heads);
                Lay(side, new[] { "shoulder", "elbow", "wrist" }, false, swings, has, heads);
            }
            var found = new Quat[_names.Length];
            for (int n = 0; n < found.Length; n++) found[n] = swings[n] * (has[n] ? rest[n] : Quat.Identity);
            return found;
        }

        /// <summary>Lay a limb along the stream's: feet stay as they rest, flat, hands go with the arm.</summary>
        void Lay(string side, string[] parts, bool isLeg, Quat[] swings, bool[] has, Vec3[] heads)
        {
            Quat swing = Quat.Identity;
            for (int n = 0; n < 2; n++)
            {
                int joint = Index(side + parts[n]), end = Index(side + parts[n + 1]);
                if (has[joint] && has[end])
                {
                    Vec3 way = isLeg ? new Vec3(0, -1, 0) : _offsets[end];
                    swing = Quat.Between(swing * (heads[end] - heads[joint]), way) * swing;
                }
                swings[joint] = swing;
            }
            if (!isLeg) swings[Index(side + parts[2])] = swing;
        }
    }
}
