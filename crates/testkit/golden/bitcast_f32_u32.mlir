module @bitcast_f32_u32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5xf32>) -> (tensor<5xui32>) {
    %0 = stablehlo.bitcast_convert %arg0 : (tensor<5xf32>) -> tensor<5xui32>
    return %0 : tensor<5xui32>
  }
}
