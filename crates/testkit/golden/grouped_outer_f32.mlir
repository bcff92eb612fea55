module @grouped_outer_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<8x4xf32>, %arg1: tensor<8x3xf32>, %arg2: tensor<3x4x3xf32>) -> (tensor<3x4x3xf32>, tensor<8x4xf32>, tensor<8x3xf32>) {
    %0 = stablehlo.constant dense<6> : tensor<i32>
    %1 = stablehlo.iota dim = 0 : tensor<8xi32>
    %2 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<i32>) -> tensor<8xi32>
    %3 = stablehlo.compare LT, %1, %2, SIGNED : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi1>
    %4 = stablehlo.constant dense<0.0> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<8x4xf32>
    %6 = stablehlo.broadcast_in_dim %3, dims = [0] : (tensor<8xi1>) -> tensor<8x4xi1>
    %7 = stablehlo.select %6, %arg0, %5 : tensor<8x4xi1>, tensor<8x4xf32>
    %8 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<8x3xf32>
    %9 = stablehlo.broadcast_in_dim %3, dims = [0] : (tensor<8xi1>) -> tensor<8x3xi1>
    %10 = stablehlo.select %9, %arg1, %8 : tensor<8x3xi1>, tensor<8x3xf32>
    %11 = stablehlo.constant dense<[2, 0, 2, 3]> : tensor<4xi32>
    %12 = stablehlo.constant dense<0> : tensor<i32>
    %13 = stablehlo.constant dense<1> : tensor<i32>
    %14 = stablehlo.constant dense<4> : tensor<i32>
    %15 = stablehlo.constant dense<0.0> : tensor<3x4x3xf32>
    %16:2 = stablehlo.while(%17 = %12, %18 = %15) : tensor<i32>, tensor<3x4x3xf32>
    cond {
      %19 = stablehlo.compare LT, %17, %14, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %19 : tensor<i1>
    } do {
    %20 = stablehlo.constant dense<2> : tensor<i32>
    %21 = stablehlo.multiply %17, %20 : tensor<i32>
    %22 = stablehlo.constant dense<0> : tensor<i32>
    %23 = stablehlo.dynamic_slice %7, %21, %22, sizes = [2, 4] : (tensor<8x4xf32>, tensor<i32>, tensor<i32>) -> tensor<2x4xf32>
    %24 = stablehlo.constant dense<0> : tensor<i32>
    %25 = stablehlo.dynamic_slice %10, %21, %24, sizes = [2, 3] : (tensor<8x3xf32>, tensor<i32>, tensor<i32>) -> tensor<2x3xf32>
    %26 = stablehlo.dot_general %23, %25, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<2x4xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
    %27 = stablehlo.reshape %26 : (tensor<4x3xf32>) -> tensor<1x4x3xf32>
    %28 = stablehlo.dynamic_slice %11, %17, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
    %29 = stablehlo.reshape %28 : (tensor<1xi32>) -> tensor<i32>
    %30 = stablehlo.constant dense<2> : tensor<i32>
    %31 = stablehlo.minimum %29, %30 : tensor<i32>
    %32 = stablehlo.constant dense<0> : tensor<i32>
    %33 = stablehlo.dynamic_slice %18, %31, %32, %32, sizes = [1, 4, 3] : (tensor<3x4x3xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x3xf32>
    %34 = stablehlo.add %33, %27 : tensor<1x4x3xf32>
    %35 = stablehlo.constant dense<0> : tensor<i32>
    %36 = stablehlo.dynamic_update_slice %18, %34, %31, %35, %35 : (tensor<3x4x3xf32>, tensor<1x4x3xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x4x3xf32>
    %37 = stablehlo.add %17, %13 : tensor<i32>
    stablehlo.return %37, %36 : tensor<i32>, tensor<3x4x3xf32>
    }
    %38 = stablehlo.constant dense<0> : tensor<i32>
    %39 = stablehlo.constant dense<1> : tensor<i32>
    %40 = stablehlo.constant dense<4> : tensor<i32>
    %41 = stablehlo.constant dense<0.0> : tensor<8x4xf32>
    %42:2 = stablehlo.while(%43 = %38, %44 = %41) : tensor<i32>, tensor<8x4xf32>
    cond {
      %45 = stablehlo.compare LT, %43, %40, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %45 : tensor<i1>
    } do {
    %46 = stablehlo.constant dense<2> : tensor<i32>
    %47 = stablehlo.multiply %43, %46 : tensor<i32>
    %48 = stablehlo.constant dense<0> : tensor<i32>
    %49 = stablehlo.dynamic_slice %10, %47, %48, sizes = [2, 3] : (tensor<8x3xf32>, tensor<i32>, tensor<i32>) -> tensor<2x3xf32>
    %50 = stablehlo.dynamic_slice %11, %43, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
    %51 = stablehlo.reshape %50 : (tensor<1xi32>) -> tensor<i32>
    %52 = stablehlo.constant dense<2> : tensor<i32>
    %53 = stablehlo.minimum %51, %52 : tensor<i32>
    %54 = stablehlo.constant dense<0> : tensor<i32>
    %55 = stablehlo.dynamic_slice %arg2, %53, %54, %54, sizes = [1, 4, 3] : (tensor<3x4x3xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x3xf32>
    %56 = stablehlo.reshape %55 : (tensor<1x4x3xf32>) -> tensor<4x3xf32>
    %57 = stablehlo.dot_general %49, %56, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
    %58 = stablehlo.constant dense<0> : tensor<i32>
    %59 = stablehlo.dynamic_update_slice %44, %57, %47, %58 : (tensor<8x4xf32>, tensor<2x4xf32>, tensor<i32>, tensor<i32>) -> tensor<8x4xf32>
    %60 = stablehlo.add %43, %39 : tensor<i32>
    stablehlo.return %60, %59 : tensor<i32>, tensor<8x4xf32>
    }
    %61 = stablehlo.constant dense<0> : tensor<i32>
    %62 = stablehlo.constant dense<1> : tensor<i32>
    %63 = stablehlo.constant dense<4> : tensor<i32>
    %64 = stablehlo.constant dense<0.0> : tensor<8x3xf32>
    %65:2 = stablehlo.while(%66 = %61, %67 = %64) : tensor<i32>, tensor<8x3xf32>
    cond {
      %68 = stablehlo.compare LT, %66, %63, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %68 : tensor<i1>
    } do {
    %69 = stablehlo.constant dense<2> : tensor<i32>
    %70 = stablehlo.multiply %66, %69 : tensor<i32>
    %71 = stablehlo.constant dense<0> : tensor<i32>
    %72 = stablehlo.dynamic_slice %7, %70, %71, sizes = [2, 4] : (tensor<8x4xf32>, tensor<i32>, tensor<i32>) -> tensor<2x4xf32>
    %73 = stablehlo.dynamic_slice %11, %66, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
    %74 = stablehlo.reshape %73 : (tensor<1xi32>) -> tensor<i32>
    %75 = stablehlo.constant dense<2> : tensor<i32>
    %76 = stablehlo.minimum %74, %75 : tensor<i32>
    %77 = stablehlo.constant dense<0> : tensor<i32>
    %78 = stablehlo.dynamic_slice %arg2, %76, %77, %77, sizes = [1, 4, 3] : (tensor<3x4x3xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x3xf32>
    %79 = stablehlo.reshape %78 : (tensor<1x4x3xf32>) -> tensor<4x3xf32>
    %80 = stablehlo.dot_general %72, %79, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
    %81 = stablehlo.constant dense<0> : tensor<i32>
    %82 = stablehlo.dynamic_update_slice %67, %80, %70, %81 : (tensor<8x3xf32>, tensor<2x3xf32>, tensor<i32>, tensor<i32>) -> tensor<8x3xf32>
    %83 = stablehlo.add %66, %62 : tensor<i32>
    stablehlo.return %83, %82 : tensor<i32>, tensor<8x3xf32>
    }
    %84 = stablehlo.constant dense<0.0> : tensor<8x3xf32>
    %85 = stablehlo.select %9, %65#1, %84 : tensor<8x3xi1>, tensor<8x3xf32>
    %86 = stablehlo.constant dense<0.0> : tensor<8x4xf32>
    %87 = stablehlo.select %6, %42#1, %86 : tensor<8x4xi1>, tensor<8x4xf32>
    return %16#1, %87, %85 : tensor<3x4x3xf32>, tensor<8x4xf32>, tensor<8x3xf32>
  }
}
